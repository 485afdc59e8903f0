/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/workload/support.h"

#include "workload/links.h"

#include <net/if.h>

#define NODE "workload-links"

struct fixture {
	sd_event *event;
	struct links *links;
	uint32_t port; /* last reported */
	char name[16];
	char master[16];
	unsigned int ports;
	bool gone[1024]; /* by ifindex */
	unsigned int goings;
	unsigned int addresses;
};

static struct fixture fixture;

static void on_port(uint32_t ifindex, const char *name, const char *master, void *userdata)
{
	struct fixture *f = userdata;

	f->port = ifindex;
	f->ports++;
	snprintf(f->name, sizeof(f->name), "%s", name);
	snprintf(f->master, sizeof(f->master), "%s", master);
}

static void on_gone(uint32_t ifindex, void *userdata)
{
	struct fixture *f = userdata;

	assert_true(ifindex < ARRAY_SIZE(f->gone));
	f->gone[ifindex] = true;
	f->goings++;
}

static void on_addresses(void *userdata)
{
	((struct fixture *)userdata)->addresses++;
}

static bool has_address(const void *text)
{
	struct address wanted = parse_address(text);
	size_t count;
	const struct address *addresses = links_host_addresses(fixture.links, &count);

	for (size_t i = 0; i < count; i++)
		if (address_equal(&addresses[i], &wanted))
			return true;
	return false;
}

static bool lacks_address(const void *text)
{
	return !has_address(text);
}

static bool has_port(const void *ifindex)
{
	return fixture.port == *(const uint32_t *)ifindex;
}

static bool has_gone(const void *ifindex)
{
	return fixture.gone[*(const uint32_t *)ifindex];
}

#define await(condition, data) assert_true(run_until(fixture.event, condition, data, 5000))

static int set_up(void **state)
{
	const struct links_callbacks callbacks = {
		.port = on_port,
		.gone = on_gone,
		.addresses = on_addresses,
		.userdata = &fixture,
	};

	(void)state;
	fixture = (struct fixture){0};
	enter_node(NODE);
	assert_shell("ip link add br0 type bridge && ip link add old type veth peer name old-in && "
		     "ip link set old master br0");
	assert_true(sd_event_new(&fixture.event) >= 0);
	return links_new(fixture.event, &callbacks, &fixture.links, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	links_free(fixture.links);
	sd_event_unref(fixture.event);
	leave_node(NODE);
	return 0;
}

static void test_what_is_there(void **state)
{
	uint32_t old = if_nametoindex("old");

	(void)state;
	assert_true(has_address("127.0.0.1"));
	assert_true(has_address("::1"));
	assert_int_equal(fixture.ports, 0); /* not before the loop runs */
	await(has_port, &old);
	assert_string_equal(fixture.name, "old");
	assert_string_equal(fixture.master, "br0");
	run_for(fixture.event, 50);
	assert_int_equal(fixture.ports, 1);
	assert_int_equal(fixture.addresses, 0);
}

static void test_ports(void **state)
{
	uint32_t ifindex;

	(void)state;
	run_for(fixture.event, 50);
	assert_shell("ip link add new type veth peer name new-in");
	run_for(fixture.event, 50);
	assert_int_equal(fixture.ports, 1);
	assert_shell("ip link set new master br0");
	ifindex = if_nametoindex("new");
	await(has_port, &ifindex);
	assert_int_equal(fixture.ports, 2);

	/* Out of the bridge is not out of the kernel. */
	assert_shell("ip link set new nomaster");
	run_for(fixture.event, 50);
	assert_int_equal(fixture.goings, 0);
	assert_shell("ip link set new master br0");
	run_for(fixture.event, 50);
	assert_int_equal(fixture.ports, 3);

	assert_shell("ip link set new up && ip link set br0 up && ip link set new down");
	run_for(fixture.event, 50);
	assert_int_equal(fixture.ports, 3);

	assert_shell("ip link del new");
	await(has_gone, &ifindex);
}

/* Only veths lead to workloads. */
static void test_other_ports(void **state)
{
	(void)state;
	run_for(fixture.event, 50);
	assert_shell("ip tuntap add tap0 mode tap && ip link set tap0 master br0");
	run_for(fixture.event, 50);
	assert_int_equal(fixture.ports, 1);
}

static void test_moved_away(void **state)
{
	uint32_t ifindex = if_nametoindex("old-in");

	(void)state;
	assert_shell("ip netns add workload-away && ip link set old-in netns workload-away");
	await(has_gone, &ifindex);
	ifindex = if_nametoindex("old");
	assert_shell("ip netns del workload-away");
	await(has_gone, &ifindex);
}

static void test_addresses(void **state)
{
	size_t count;
	const struct address *addresses;

	(void)state;
	assert_shell("ip address add 10.97.0.1/24 dev br0 && "
		     "ip address add fd97::1/64 dev br0 nodad");
	await(has_address, "10.97.0.1");
	await(has_address, "fd97::1");
	assert_true(fixture.addresses >= 1);
	run_for(fixture.event, 20);
	fixture.addresses = 0;
	/* Link-local ones, and one that is there already, change nothing. */
	assert_shell("ip link set br0 up && ip address add 169.254.3.3/16 dev br0 && "
		     "ip address add 10.97.0.1/32 dev old");
	run_for(fixture.event, 100);
	assert_int_equal(fixture.addresses, 0);
	assert_true(lacks_address("169.254.3.3"));
	assert_shell("ip address del 10.97.0.1/24 dev br0");
	run_for(fixture.event, 50);
	assert_true(has_address("10.97.0.1"));
	assert_shell("ip address del 10.97.0.1/32 dev old");
	await(lacks_address, "10.97.0.1");
	addresses = links_host_addresses(fixture.links, &count);
	for (size_t i = 1; i < count; i++)
		assert_true(address_compare(&addresses[i - 1], &addresses[i]) < 0);
}

/* More messages than the socket holds, while the agent is busy elsewhere. */
static void test_overrun(void **state)
{
	uint32_t old = if_nametoindex("old");

	(void)state;
	run_for(fixture.event, 50);
	assert_shell("ip address add 10.97.9.9/24 dev br0");
	await(has_address, "10.97.9.9");
	assert_shell("{ for i in $(seq 4000); do echo link set br0 mtu $((1400 + i %% 2)); done; "
		     "echo link del old; echo address del 10.97.9.9/24 dev br0; "
		     "echo address add 10.97.7.7/24 dev br0; } | ip -batch -");
	/* The messages about these have been lost: a listing finds out. */
	await(has_address, "10.97.7.7");
	assert_true(lacks_address("10.97.9.9"));
	await(has_gone, &old);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_what_is_there),
		TEST(test_ports),
		TEST(test_other_ports),
		TEST(test_moved_away),
		TEST(test_addresses),
		TEST(test_overrun),
	};

	if (!can_make_namespaces())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
