/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Early dropping as a whole, in a network namespace and on a bpffs of its own. Needs root. */
#include "dataplane/xdp/xdp.h"

#include "base/cleanup.h"
#include "xdp/abi.h"
#include "xdp/reasons.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cmocka.h>

#define PREFIXES 20000

struct site {
	char directory[64]; /* with pins/, a bpffs, and list, a file */
	char pins[80], list[80];
	const char *lists[1];
	sd_event *event;
	struct xdp *xdp;
	struct xdp_interface veth;
	struct prefix investigator;
	/* what was told */
	unsigned int dones;
	int result;
	char message[256];
};

static void ignore_flow(const struct flow_event *event, void *userdata)
{
	(void)event;
	(void)userdata;
}

static void ignore_trouble(const char *message, bool repaired, void *userdata)
{
	(void)message;
	(void)repaired;
	(void)userdata;
}

static void write_list(const struct site *site, unsigned int prefixes, const char *last)
{
	_cleanup_file_ FILE *file = fopen(site->list, "we");

	assert_non_null(file);
	for (unsigned int i = 0; i < prefixes; i++)
		fprintf(file, "10.%u.%u.%u\n", i >> 15, i >> 7 & 255, (i & 127) * 2);
	fputs(last, file);
}

static void open_xdp(struct site *site)
{
	const struct xdp_options options = {
		.pin_directory = site->pins, .deny_lists = site->lists, .deny_lists_count = 1};
	const struct dataplane_callbacks callbacks = {
		.flow = ignore_flow, .trouble = ignore_trouble};
	_cleanup_error_ struct error error = ERROR_INIT;

	if (xdp_new(&options, &callbacks, site->event, &site->xdp, &error) < 0)
		fail_msg("%s", error_message(&error));
}

static void close_xdp(struct site *site, bool detach)
{
	xdp_close(TAKE_PTR(site->xdp), detach);
}

static int setup(void **state)
{
	static struct site site;

	site = (struct site){.directory = "/tmp/segd-xdp.XXXXXX"};
	if (geteuid() != 0 || unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 || !mkdtemp(site.directory) ||
		sd_event_new(&site.event) < 0)
		return -1;
	mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	snprintf(site.pins, sizeof(site.pins), "%s/pins", site.directory);
	snprintf(site.list, sizeof(site.list), "%s/list", site.directory);
	site.lists[0] = site.list;
	if (system("ip link add quarant0 type veth peer name inside && ip link set quarant0 up") !=
		0)
		return -1;
	site.veth = (struct xdp_interface){
		.ifindex = if_nametoindex("quarant0"), .name = "quarant0", .veth = true};
	prefix_parse("192.0.2.0/24", &site.investigator);
	write_list(&site, 1, "");
	open_xdp(&site);
	*state = &site;
	return 0;
}

static int teardown(void **state)
{
	struct site *site = *state;

	close_xdp(site, true);
	sd_event_unref(site->event);
	umount2(site->pins, MNT_DETACH);
	rmdir(site->pins);
	unlink(site->list);
	return rmdir(site->directory);
}

static void on_done(int r, const struct error *error, void *userdata)
{
	struct site *site = userdata;

	site->dones++;
	site->result = r;
	snprintf(site->message, sizeof(site->message), "%s", r < 0 ? error_message(error) : "");
}

static void reload(struct site *site)
{
	unsigned int before = site->dones;

	assert_int_equal(xdp_deny_lists_reload(site->xdp, on_done, site, NULL), 0);
	assert_int_equal(site->dones, before); /* whoever asks goes on */
	while (site->dones == before)
		assert_true(sd_event_run(site->event, UINT64_MAX) >= 0);
}

static json_int_t described(const struct site *site, const char *list, const char *key)
{
	json_auto_t *early = xdp_describe(site->xdp);
	const json_t *parent = list ? json_object_get(early, list) : early;

	return json_integer_value(json_object_get(parent, key));
}

static void lists_are_read_aside(void **state)
{
	struct site *site = *state;

	write_list(site, PREFIXES, "");
	reload(site);
	assert_int_equal(site->result, 0);
	assert_int_equal(described(site, "deny_lists", "ranges"), PREFIXES);
	assert_null(xdp_deny_lists_problem(site->xdp));
}

static void only_one_reading_at_a_time(void **state)
{
	struct site *site = *state;

	write_list(site, PREFIXES, "");
	assert_int_equal(xdp_deny_lists_reload(site->xdp, on_done, site, NULL), 0);
	assert_int_equal(xdp_deny_lists_reload(site->xdp, on_done, site, NULL), -EBUSY);
	while (!site->dones)
		sd_event_run(site->event, UINT64_MAX);
	assert_int_equal(site->dones, 1);
	reload(site);
	assert_int_equal(site->dones, 2);
}

static void a_list_with_mistakes_changes_nothing(void **state)
{
	struct site *site = *state;

	assert_int_equal(xdp_deny_lists_load(site->xdp, NULL), 0);
	write_list(site, 3, "nonsense\n");
	reload(site);
	assert_int_equal(site->result, -EINVAL);
	assert_non_null(strstr(site->message, "list:4: 'nonsense' is no prefix"));
	assert_string_equal(xdp_deny_lists_problem(site->xdp), site->message);
	assert_int_equal(described(site, "deny_lists", "ranges"), 1);
	write_list(site, 3, "");
	assert_int_equal(xdp_deny_lists_load(site->xdp, NULL), 0);
	assert_null(xdp_deny_lists_problem(site->xdp));
}

static void closing_ends_a_reading(void **state)
{
	struct site *site = *state;

	write_list(site, PREFIXES, "");
	assert_int_equal(xdp_deny_lists_reload(site->xdp, on_done, site, NULL), 0);
	close_xdp(site, true);
	while (sd_event_run(site->event, 0) > 0)
		;
	assert_int_equal(site->dones, 0);
	open_xdp(site);
}

static void quarantine(struct site *site)
{
	const struct xdp_quarantine wish = {.interfaces = &site->veth,
		.interfaces_count = 1,
		.investigators = &site->investigator,
		.investigators_count = 1};
	_cleanup_error_ struct error error = ERROR_INIT;

	if (xdp_quarantine_set(site->xdp, &wish, &error) < 0)
		fail_msg("%s", error_message(&error));
	assert_int_equal(described(site, NULL, "quarantined"), 1);
}

/* The program on the interface, as the kernel says; 0: none. */
static uint32_t program_id(const struct site *site)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	assert_int_equal(bpf_xdp_query((int)site->veth.ifindex, 0, &query), 0);
	return query.prog_id;
}

static void quarantines_outlive_the_agent(void **state)
{
	struct site *site = *state;
	uint32_t program;

	quarantine(site);
	program = program_id(site);
	assert_true(program);
	close_xdp(site, false);
	assert_int_equal(program_id(site), program);
	open_xdp(site);
	assert_int_equal(xdp_apply(site->xdp, NULL), 0);
	assert_true(program_id(site));
	assert_int_not_equal(program_id(site), program);
	assert_int_equal(described(site, NULL, "quarantined"), 1);
}

/* Entries that are longer by what a later version has behind them. */
static void lengthen(const char *path, uint32_t value_size)
{
	uint8_t key[4], value[64] = {0};
	_cleanup_close_ int from = bpf_obj_get(path);
	_cleanup_close_ int to = bpf_map_create(
		BPF_MAP_TYPE_HASH, "early_interface", sizeof(key), value_size, 16, NULL);

	assert_true(from >= 0 && to >= 0);
	assert_int_equal(bpf_map_get_next_key(from, NULL, key), 0);
	assert_int_equal(bpf_map_lookup_elem(from, key, value), 0);
	assert_int_equal(bpf_map_update_elem(to, key, value, BPF_ANY), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(bpf_obj_pin(to, path), 0);
}

static bool investigates(const char maps[static 128])
{
	const struct abi_prefix_key key = {
		.length = 128, .bytes = {[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 9}};
	char path[PATH_MAX];
	uint32_t flags = 0;

	snprintf(path, sizeof(path), "%.127s/investigators", maps);

	_cleanup_close_ int map = bpf_obj_get(path);

	assert_true(map >= 0);
	return bpf_map_lookup_elem(map, &key, &flags) == 0 && flags & ABI_INVESTIGATOR_TRAFFIC;
}

/* What an agent with maps of another shape has left goes on, list and all. */
static void quarantines_outlive_a_change_of_shape(void **state)
{
	struct site *site = *state;
	char today[128], former[128], table[PATH_MAX];

	write_list(site, PREFIXES, "");
	assert_int_equal(xdp_deny_lists_load(site->xdp, NULL), 0);
	quarantine(site);
	close_xdp(site, false);
	snprintf(today, sizeof(today), "%s/xdp/maps-%u-%u", site->pins, ABI_EARLY_VERSION,
		REASON_COUNT);
	snprintf(former, sizeof(former), "%s/xdp/maps-1-7", site->pins);
	assert_int_equal(rename(today, former), 0);
	snprintf(table, sizeof(table), "%s/early_interfaces", former);
	lengthen(table, 40);

	open_xdp(site);
	assert_int_equal(described(site, NULL, "quarantined"), 1);
	assert_int_equal(described(site, "deny_lists", "ranges"), PREFIXES);
	assert_true(investigates(today));
	assert_int_equal(xdp_apply(site->xdp, NULL), 0);
	assert_true(program_id(site));
	assert_int_equal(access(former, F_OK), -1);
	assert_int_equal(described(site, NULL, "quarantined"), 1);
}

#define IN_A_SITE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_SITE(lists_are_read_aside),
		IN_A_SITE(only_one_reading_at_a_time),
		IN_A_SITE(a_list_with_mistakes_changes_nothing),
		IN_A_SITE(closing_ends_a_reading),
		IN_A_SITE(quarantines_outlive_the_agent),
		IN_A_SITE(quarantines_outlive_a_change_of_shape),
	};

	return cmocka_run_group_tests_name("xdp", tests, NULL, NULL);
}
