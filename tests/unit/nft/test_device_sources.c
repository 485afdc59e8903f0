/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may send what, taken back when the policy that came with it was refused. */
#include "dataplane/nft/device_sources.h"

#include "village.h"

#include <net/if.h>

#define LIST "nft -s list table netdev segd | grep -v 'counter\\|^$' | sort"

/* The first count workloads of the village, with addresses of their own. */
static int apply_first(struct device_sources *sources, unsigned int count, struct error *error)
{
	struct model *model = fixture_model(0);
	struct ir *ir = fixture_ir(model, FIXTURE_POLICY);
	struct attachment attachments[4] = {0};
	struct address addresses[4];
	const struct dataplane_state state = {
		.ir = ir, .model = model, .attachments = attachments, .attachments_count = count};
	int r;

	for (unsigned int i = 0; i < count; i++) {
		snprintf(attachments[i].name, sizeof(attachments[i].name), "v%u", i);
		attachments[i].ifindex = if_nametoindex(attachments[i].name);
		memcpy(attachments[i].mac, (const uint8_t[]){2, 0x77, 0, 0, 0, (uint8_t)(i + 2)},
			sizeof(attachments[i].mac));
		addresses[i] = fixture_address(fixture_workloads[i].ipv4);
		attachments[i].addresses = &addresses[i];
		attachments[i].addresses_count = 1;
		attachments[i].workload = i;
	}
	r = device_sources_apply(sources, &state, error);
	ir_free(ir);
	model_free(model);
	return r;
}

static int set_up(void **state)
{
	const struct dataplane_options options = {0};
	struct device_sources *sources;

	village_build();
	assert_int_equal(device_sources_open(&options, &sources, NULL), 0);
	*state = sources;
	return 0;
}

static int tear_down(void **state)
{
	device_sources_free(*state);
	village_tear_down();
	return 0;
}

static void test_goes_back_to_what_was(void **state)
{
	struct device_sources *sources = *state;
	struct error error = ERROR_INIT;

	assert_int_equal(apply_first(sources, 2, &error), 0);
	assert_int_equal(device_sources_settle(sources, &error), 0);
	assert_int_equal(fixture_run(LIST " >/tmp/nft-before.$PPID"), 0);
	/* Without IPv6 addresses of its own, api sends IPv4 only. */
	assert_true(village_reaches("api", SOCK_STREAM, "10.77.0.2", 80));
	assert_true(village_is_shut("api", SOCK_STREAM, "fd77::2", 80));
	assert_true(village_reaches("db", SOCK_STREAM, "fd77::5", 80));

	assert_int_equal(apply_first(sources, 3, &error), 0);
	assert_true(village_is_shut("db", SOCK_STREAM, "fd77::5", 80));
	assert_int_equal(device_sources_revert(sources, &error), 0);
	/* The new one's chains stay until the next apply; elements are as before. */
	assert_int_equal(fixture_run("! nft list set netdev segd own4 | grep -q 10.77.0.4"), 0);
	assert_true(village_reaches("api", SOCK_STREAM, "10.77.0.2", 80));
	assert_true(village_is_shut("api", SOCK_STREAM, "fd77::2", 80));

	assert_int_equal(apply_first(sources, 2, &error), 0);
	assert_int_equal(device_sources_settle(sources, &error), 0);
	assert_int_equal(fixture_run(LIST " | diff /tmp/nft-before.$PPID -"), 0);
	assert_true(village_reaches("db", SOCK_STREAM, "fd77::5", 80));
	fixture_run("rm -f /tmp/nft-before.$PPID");
}

/* Sets that somebody emptied are written anew, not assumed. */
static void test_heals_what_was_forgotten(void **state)
{
	struct device_sources *sources = *state;
	struct error error = ERROR_INIT;

	assert_int_equal(apply_first(sources, 2, &error), 0);
	assert_int_equal(fixture_run("nft flush set netdev segd own4"), 0);
	assert_true(village_is_shut("api", SOCK_STREAM, "10.77.0.2", 80));
	assert_int_equal(device_sources_repair(sources, &error), 0);
	assert_true(village_reaches("api", SOCK_STREAM, "10.77.0.2", 80));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goes_back_to_what_was),
		cmocka_unit_test(test_heals_what_was_forgotten),
	};

	if (geteuid() != 0) {
		print_message("skipped: needs root for network namespaces\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
