/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/device_refusals.h"

#include "dataplane/nft/netlink.h"
#include "fixture.h"

#include <net/if.h>

static const enum reason reasons[] = {REASON_SPOOFED_MAC};

static void ignore(const struct flow_event *event, void *userdata)
{
	(void)event;
	(void)userdata;
}

static void name(struct device_refusals *refusals, uint32_t ifindex)
{
	const struct attachment attachment = {.ifindex = ifindex};

	assert_int_equal(device_refusals_name(refusals, &attachment), 0);
}

/* A node on which containers come and go. */
static void test_forgets_what_is_gone(void **state)
{
	static const struct dataplane_callbacks callbacks = {.flow = ignore};
	struct device_refusals *refusals;
	struct mnl_socket *socket;
	size_t most = 0;

	(void)state;
	assert_int_equal(netlink_open(&socket, NULL), 0);
	assert_int_equal(device_refusals_new("no-table", reasons, 1, &refusals), 0);
	name(refusals, if_nametoindex("lo"));
	for (uint32_t i = 0; i < 5000; i++) {
		name(refusals, 1000000 + i);
		if (i % 50)
			continue;
		assert_int_equal(device_refusals_read(refusals, socket, &callbacks), 0);
		if (device_refusals_count(refusals) > most)
			most = device_refusals_count(refusals);
	}
	assert_in_range(most, 2, 1000);
	device_refusals_free(refusals);
	netlink_closep(&socket);
}

/* Without an ear for them, what was counted has not been told. */
static void test_keeps_what_is_not_told(void **state)
{
	struct device_refusals *refusals;
	struct mnl_socket *socket;

	(void)state;
	assert_int_equal(netlink_open(&socket, NULL), 0);
	assert_int_equal(device_refusals_new("no-table", reasons, 1, &refusals), 0);
	for (uint32_t i = 0; i < 2000; i++)
		name(refusals, 1000000 + i);
	assert_int_equal(device_refusals_read(refusals, socket, NULL), 0);
	assert_int_equal(device_refusals_count(refusals), 2000);
	device_refusals_free(refusals);
	netlink_closep(&socket);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forgets_what_is_gone),
		cmocka_unit_test(test_keeps_what_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
