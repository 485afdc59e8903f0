/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/workload/support.h"

#include "workload/docker_interfaces.h"

/* A workload on as many networks as there are MACs, given by their last byte. */
static struct workload *make(const char *macs)
{
	struct workload *workload;

	assert_int_equal(workload_new("docker", "1", "default", "web", &workload), 0);
	for (; *macs; macs++) {
		struct workload_interface *interface;
		struct address address = parse_address("10.0.0.1");

		assert_int_equal(workload_add_interface(workload, &interface), 0);
		interface->mac[5] = (uint8_t)*macs;
		address.bytes[15] = (uint8_t)*macs;
		assert_int_equal(workload_interface_add_address(interface, &address), 0);
	}
	return workload;
}

/* Checks what became of each: "a7" is the MAC, and the ifindex of its veth ('0': none); an extra
 * interface follows. */
static void assert_match(const char *macs, const char *inside, const char *wanted)
{
	_cleanup_(workload_freep) struct workload *workload = make(macs);
	struct netns_interface interfaces[8] = {0};
	size_t count = strlen(inside) / 2;
	char text[32] = "";

	for (size_t i = 0; i < count; i++) {
		interfaces[i].mac[5] = (uint8_t)inside[2 * i];
		interfaces[i].peer = (uint32_t)(inside[2 * i + 1] - '0');
		snprintf(interfaces[i].peer_name, sizeof(interfaces[i].peer_name), "veth%c",
			inside[2 * i + 1]);
	}
	assert_int_equal(
		docker_match_interfaces(workload, "/run/netns/test", interfaces, count), 0);
	for (size_t i = 0; i < workload->interfaces_count; i++) {
		const struct workload_interface *interface = &workload->interfaces[i];
		size_t end = strlen(text);

		text[end] = (char)interface->mac[5];
		text[end + 1] = (char)('0' + interface->ifindex);
		if (interface->ifindex)
			assert_int_equal(interface->name[4], '0' + interface->ifindex);
		assert_int_equal(interface->addresses_count, i < strlen(macs));
	}
	assert_string_equal(text, wanted);
}

static void test_by_mac(void **state)
{
	(void)state;
	assert_match("a", "a7", "a7");
	assert_match("ab", "b3a7", "a7b3");
	assert_match("", "", "");
}

static void test_changed_mac(void **state)
{
	(void)state;
	assert_match("a", "x7", "a7");
	assert_match("ab", "x3a7", "a7b3");
}

/* Which is which cannot be told: both are enforced, neither has an address. */
static void test_cannot_be_told(void **state)
{
	(void)state;
	assert_match("ab", "x3y7", "a0b0x3y7");
}

static void test_veth_of_no_network(void **state)
{
	(void)state;
	assert_match("a", "a7x3", "a7x3");
	assert_match("", "x3", "x3");
}

/* Two interfaces of one MAC: the first is the network's. */
static void test_same_mac_twice(void **state)
{
	(void)state;
	assert_match("a", "a7a3", "a7a3");
	assert_match("aa", "a7a3", "a7a3");
}

/* macvlan, or the other end elsewhere: nothing to attach to on this node. */
static void test_no_host_side(void **state)
{
	(void)state;
	assert_match("a", "a0", "a0");
	assert_match("ab", "a0b3", "a0b3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_mac),
		cmocka_unit_test(test_changed_mac),
		cmocka_unit_test(test_cannot_be_told),
		cmocka_unit_test(test_veth_of_no_network),
		cmocka_unit_test(test_same_mac_twice),
		cmocka_unit_test(test_no_host_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
