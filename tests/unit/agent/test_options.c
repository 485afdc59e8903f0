/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define PARSE(options, error, ...) parse(options, error, (char *[]){"segd", __VA_ARGS__, NULL})

static int parse(struct options *options, struct error *error, char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	optind = 0;
	return options_parse(options, argc, argv, error);
}

static void test_defaults(void **state)
{
	struct error error = ERROR_INIT;
	struct options options;

	(void)state;
	assert_int_equal(PARSE(&options, &error, NULL), 0);
	assert_string_equal(options.dataplane, "auto");
	assert_string_equal(options.socket_path, "/run/segd/segd.sock");
	assert_int_equal(options.policy.posture, POSTURE_ALLOW);
	assert_int_equal(options.adoption_ns, 60000000000);
	assert_ptr_equal(options.node, options.hostname);
	assert_false(options.remove);
}

static void test_values(void **state)
{
	struct error error = ERROR_INIT;
	struct options options;

	(void)state;
	assert_int_equal(
		PARSE(&options, &error, "--dataplane=nft", "--no-docker", "--posture=deny",
			"--adoption=0", "--nflog-group", "7", "--restrict-node", "--remove-on-exit",
			"--node=n1", "--allow-ethertype=0x88cc,35020", "--allow-ethertype=0x600"),
		0);
	assert_string_equal(options.dataplane, "nft");
	assert_null(options.docker_socket);
	assert_int_equal(options.policy.posture, POSTURE_DENY);
	assert_true(options.policy.restrict_node);
	assert_int_equal(options.adoption_ns, 0);
	assert_int_equal(options.nflog_group, 7);
	assert_int_equal(options.ethertypes[0], 0x88cc);
	assert_int_equal(options.ethertypes[1], 35020);
	assert_int_equal(options.ethertypes[2], 0x600);
	assert_int_equal(options.ethertypes[3], 0);
	assert_true(options.remove_on_exit);
	assert_string_equal(options.node, "n1");
}

static void test_early_dropping(void **state)
{
	struct error error = ERROR_INIT;
	struct options options;

	(void)state;
	assert_int_equal(
		PARSE(&options, &error, "--deny-list=/a", "--deny-list", "/b", "--uplink=eth0",
			"--new-connection-limit=100/s", "--workload-connection-limit=20"),
		0);
	assert_int_equal(options.deny_lists_count, 2);
	assert_string_equal(options.deny_lists[0], "/a");
	assert_string_equal(options.deny_lists[1], "/b");
	assert_int_equal(options.uplinks_count, 1);
	assert_string_equal(options.uplinks[0], "eth0");
	assert_int_equal(options.uplink_limit, 100);
	assert_int_equal(options.workload_limit, 20);
	options_clear(&options);
}

static void refused(char *argument, const char *message)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct options options;

	assert_int_equal(PARSE(&options, &error, argument), -EINVAL);
	assert_string_equal(error_message(&error), message);
}

static void test_wrong_usage(void **state)
{
	(void)state;
	refused("--dataplane=xdp", "--dataplane: 'xdp' is not auto, ebpf or nft");
	refused("--posture=maybe", "--posture: 'maybe' is not allow, deny or audit");
	refused("--adoption=-1", "--adoption: '-1' is no number from 0 to 31536000");
	refused("--adoption=1s", "--adoption: '1s' is no number from 0 to 31536000");
	refused("--workload-connections=262145",
		"--workload-connections: '262145' is no number from 0 to 262144");
	refused("--nflog-group=65534", "--nflog-group: '65534' is no number from 0 to 65533");
	refused("--failsafe=tcp/22,icmp",
		"--failsafe: \"icmp\" is no single port of TCP, UDP or SCTP, "
		"such as tcp/22 or out:udp/53");
	refused("--allow-ethertype=0x5ff",
		"--allow-ethertype: '0x5ff' is no list of types from 0x600 to 0xffff");
	refused("--allow-ethertype=0x88cc,",
		"--allow-ethertype: '0x88cc,' is no list of types from 0x600 to 0xffff");
	refused("--allow-ethertype=0x88cc,0x8100",
		"--allow-ethertype: 0x8100 is IP, ARP or a tag: policies would say nothing about "
		"what passes in it");
	refused("--allow-ethertype=1537,1538,1539,1540,1541,1542,1543,1544,1545,1546,1547,1548,"
		"1549,1550,1551,1552,1553",
		"--allow-ethertype: more than 16 types");
	refused("--uplink=",
		"--uplink: '' is no name of an interface, which has 1 to 15 characters");
	refused("--uplink=abcdefghijklmnop",
		"--uplink: 'abcdefghijklmnop' is no name of an interface, which has 1 to 15 "
		"characters");
	refused("--new-connection-limit=0/s",
		"--new-connection-limit: '0/s' is no rate from 1/s to 1000000000/s, such as 100/s");
	refused("--workload-connection-limit=5/min",
		"--workload-connection-limit: '5/min' is no rate from 1/s to 1000000000/s, such as "
		"100/s");
	refused("--what", "--what: no such option (segd --help lists the options)");
	refused("--socket", "--socket: needs a value (segd --help lists the options)");
	refused("stray", "stray: segd takes options only");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_early_dropping),
		cmocka_unit_test(test_wrong_usage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
