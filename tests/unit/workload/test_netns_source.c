/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Namespaces of a file that come, change and go while they are followed. */
#include "tests/unit/workload/support.h"

#include "workload/source.h"

#include <net/if.h>
#include <sys/stat.h>

#define NODE "workload-source"
#define ONE  "workload-src1"
#define TWO  "workload-src2"

struct fixture {
	char directory[64];
	char path[96];
	sd_event *event;
	struct registry *registry;
	struct workload_source *source;
	bool healthy;
	char message[512];
};

static struct fixture fixture;

static void on_changed(void *userdata)
{
	(void)userdata;
}

static void on_health(const char *source, bool healthy, const char *message, void *userdata)
{
	struct fixture *f = userdata;

	assert_string_equal(source, "netns");
	f->healthy = healthy;
	snprintf(f->message, sizeof(f->message), "%s", message);
}

/* As an editor does it: beside, and then in the place of the old one. */
static void write_file(const char *text)
{
	char beside[128];
	FILE *stream;

	snprintf(beside, sizeof(beside), "%s.new", fixture.path);
	stream = fopen(beside, "we");
	assert_non_null(stream);
	assert_true(fputs(text, stream) >= 0);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(rename(beside, fixture.path), 0);
}

static int open_source(struct error *error)
{
	const struct workload_source_callbacks callbacks = {
		.health = on_health, .userdata = &fixture};

	return netns_source_ops.open(
		fixture.path, fixture.registry, &callbacks, fixture.event, &fixture.source, error);
}

static const struct workload *get(const char *name)
{
	bool ambiguous;

	return registry_find(fixture.registry, name, &ambiguous);
}

static bool is_known(const void *name)
{
	return get(name) != NULL;
}

static bool is_unknown(const void *name)
{
	return get(name) == NULL;
}

static bool has_owner(const void *text)
{
	struct address address = parse_address(text);

	return registry_find_address(fixture.registry, &address) != NULL;
}

static bool has_no_owner(const void *text)
{
	return !has_owner(text);
}

static bool is_healthy(const void *unused)
{
	(void)unused;
	return fixture.healthy;
}

static bool is_unhealthy(const void *unused)
{
	(void)unused;
	return !fixture.healthy;
}

#define await(condition, data) assert_true(run_until(fixture.event, condition, data, 5000))

static void add_namespace(const char *name, const char *host, const char *address)
{
	assert_shell("ip netns add %s && ip link add %s type veth peer name eth0 netns %s && "
		     "ip -n %s address add %s dev eth0 && ip -n %s link set eth0 up && "
		     "ip link set %s up",
		name, host, name, name, address, name, host);
}

static int set_up(void **state)
{
	(void)state;
	fixture = (struct fixture){0};
	enter_node(NODE);
	shell("ip netns del " ONE " 2>/dev/null; ip netns del " TWO " 2>/dev/null");
	snprintf(fixture.directory, sizeof(fixture.directory), "/tmp/workload-source-XXXXXX");
	assert_non_null(mkdtemp(fixture.directory));
	snprintf(fixture.path, sizeof(fixture.path), "%s/workloads.yaml", fixture.directory);
	assert_true(sd_event_new(&fixture.event) >= 0);
	return registry_new(fixture.event, on_changed, NULL, &fixture.registry);
}

static int tear_down(void **state)
{
	(void)state;
	if (fixture.source)
		netns_source_ops.close(fixture.source);
	registry_free(fixture.registry);
	sd_event_unref(fixture.event);
	unlink(fixture.path);
	rmdir(fixture.directory);
	shell("ip netns del " ONE " 2>/dev/null; ip netns del " TWO " 2>/dev/null");
	leave_node(NODE);
	return 0;
}

#define FILE_TEXT                                               \
	"workloads:\n"                                          \
	"- {name: one, netns: " ONE ", labels: {app: first}}\n" \
	"- {name: two, netns: " TWO ", namespace: shop}\n"

static void test_there_from_the_start(void **state)
{
	const struct workload *one;

	(void)state;
	add_namespace(ONE, "host1", "10.96.0.1/24");
	write_file("workloads:\n- name: one\n  netns: " ONE "\n  labels: {app: first}\n"
		   "  ports: {http: tcp/80}\n");
	assert_int_equal(open_source(NULL), 0);
	/* Known when open returns, so that the agent's first policy is for it, too. */
	one = get("default/one");
	assert_non_null(one);
	assert_true(one->adopt);
	assert_string_equal(labels_get(&one->labels, "app"), "first");
	assert_int_equal(one->ports_count, 1);
	assert_int_equal(one->interfaces_count, 1);
	assert_int_equal(one->interfaces[0].ifindex, if_nametoindex("host1"));
	assert_string_equal(one->interfaces[0].name, "host1");
	assert_true(has_owner("10.96.0.1"));
	assert_true(fixture.healthy);
}

static void test_appears_and_goes(void **state)
{
	(void)state;
	write_file(FILE_TEXT);
	assert_int_equal(open_source(NULL), 0);
	assert_int_equal(registry_count(fixture.registry), 0);
	assert_true(fixture.healthy);
	run_for(fixture.event, 50);
	add_namespace(ONE, "host1", "10.96.0.1/24");
	await(has_owner, "10.96.0.1");
	add_namespace(TWO, "host2", "10.96.0.2/24");
	await(has_owner, "10.96.0.2");
	assert_non_null(get("shop/two"));
	assert_shell("ip netns del " ONE);
	await(is_unknown, "one");
	await(has_no_owner, "10.96.0.1");
	assert_non_null(get("shop/two"));
	/* Again, as another. */
	add_namespace(ONE, "host3", "10.96.0.3/24");
	await(has_owner, "10.96.0.3");
	assert_int_equal(get("one")->interfaces[0].ifindex, if_nametoindex("host3"));
}

static void test_changes_inside(void **state)
{
	(void)state;
	add_namespace(ONE, "host1", "10.96.0.1/24");
	write_file(FILE_TEXT);
	assert_int_equal(open_source(NULL), 0);
	add_namespace(TWO, "host2", "10.96.0.2/24");
	await(is_known, "two"); /* now nothing is looked for any more */
	await(has_owner, "10.96.0.2");
	run_for(fixture.event, 50);
	assert_shell("ip -n " ONE " address add 10.96.0.11/24 dev eth0");
	await(has_owner, "10.96.0.11");
	assert_shell("ip -n " ONE " address add fd96::11/64 dev eth0 nodad");
	await(has_owner, "fd96::11");
	assert_shell("ip -n " ONE " address del 10.96.0.1/24 dev eth0");
	await(has_no_owner, "10.96.0.1");
	assert_shell("ip link add host9 type veth peer name eth1 netns " ONE " && "
		     "ip -n " ONE " address add 10.96.9.9/24 dev eth1");
	await(has_owner, "10.96.9.9");
	assert_int_equal(get("one")->interfaces_count, 2);
	assert_shell("ip link del host9");
	await(has_no_owner, "10.96.9.9");
	assert_int_equal(get("one")->interfaces_count, 1);
}

static void test_one_interface_and_given_addresses(void **state)
{
	(void)state;
	add_namespace(ONE, "host1", "10.96.0.1/24");
	assert_shell("ip link add host2 type veth peer name eth1 netns " ONE " && "
		     "ip -n " ONE " address add 10.96.2.2/24 dev eth1");
	write_file("workloads:\n"
		   "- {name: one, netns: " ONE ", interface: eth1}\n"
		   "- {name: admin, netns: " ONE ", interface: eth0, addresses: [10.96.7.7]}\n");
	assert_int_equal(open_source(NULL), 0);
	assert_int_equal(get("one")->interfaces_count, 1);
	assert_int_equal(get("one")->interfaces[0].ifindex, if_nametoindex("host2"));
	assert_true(has_owner("10.96.2.2"));
	assert_true(has_owner("10.96.7.7"));
	assert_false(has_owner("10.96.0.1"));
}

static void test_file_changes(void **state)
{
	(void)state;
	add_namespace(ONE, "host1", "10.96.0.1/24");
	add_namespace(TWO, "host2", "10.96.0.2/24");
	write_file(FILE_TEXT);
	assert_int_equal(open_source(NULL), 0);
	assert_non_null(get("one"));

	write_file("workloads:\n- {name: two, netns: " TWO ", color: red}\n");
	await(is_unhealthy, NULL);
	assert_non_null(strstr(fixture.message, "workloads.yaml:2:"));
	run_for(fixture.event, 100);
	assert_non_null(get("one")); /* the former ones stay */
	assert_false(fixture.healthy);

	write_file("workloads:\n- {name: two, netns: " TWO ", labels: {app: x}}\n");
	await(is_healthy, NULL);
	await(is_unknown, "one");
	assert_string_equal(labels_get(&get("default/two")->labels, "app"), "x");
	assert_int_equal(netns_source_ops.refresh(fixture.source, NULL), 0);
	run_for(fixture.event, 50);
	assert_int_equal(registry_count(fixture.registry), 1);
}

static void test_wrong_from_the_start(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_int_equal(open_source(&error), -ENOENT);
	assert_non_null(strstr(error_message(&error), fixture.path));
	write_file("workloads: 7\n");
	assert_int_equal(open_source(&error), -EINVAL);
	assert_non_null(strstr(error_message(&error), "workloads.yaml:1:12: error: "));
	assert_null(fixture.source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_there_from_the_start),
		TEST(test_appears_and_goes),
		TEST(test_changes_inside),
		TEST(test_one_interface_and_given_addresses),
		TEST(test_file_changes),
		TEST(test_wrong_from_the_start),
	};

	if (!can_make_namespaces())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
