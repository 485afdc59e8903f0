/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Few words, but exact ones: a label is told only where nobody else has it. */
#include "diff_names.h"

#include "base/cleanup.h"
#include "policies/array.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Twelve in shop and two in bank, of which app=api are the first eight and both of bank; each is a
 * party of its own, and behind them come the node and two parts of the world. */
#define SHOP  12
#define ALL   14
#define HOST  14
#define NET   15
#define WORLD 16
#define COUNT 17

struct world {
	struct model *model;
	struct comparison comparison;
};

static void add(struct model *model, const char *namespace, unsigned int number, const char *app)
{
	struct model_workload *workload;
	char name[16];

	snprintf(name, sizeof(name), "w%02u", number);
	assert_int_equal(model_add_workload(model, namespace, name, &workload), 0);
	assert_int_equal(labels_set(&workload->labels, "app", app), 0);
	assert_int_equal(labels_set(&workload->labels, "half", number % 2 ? "odd" : "even"), 0);
}

static void add_prefix(struct comparison_party *party, const char *text)
{
	struct prefix *slot = array_append(party->prefixes, party->prefixes_count);

	assert_int_equal(prefix_parse(text, slot), 0);
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct comparison_party *parties = calloc(COUNT, sizeof(*parties));

	assert_int_equal(model_new(&world->model), 0);
	for (unsigned int i = 0; i < SHOP; i++)
		add(world->model, "shop", i, i < 8 ? "api" : "web");
	for (unsigned int i = SHOP; i < ALL; i++)
		add(world->model, "bank", i, "api");
	assert_int_equal(model_finish(world->model, NULL), 0);
	/* Sorted, bank's two come first in the model. */
	for (size_t i = 0; i < ALL; i++)
		*array_append(parties[i].workloads, parties[i].workloads_count) =
			i < SHOP ? i + 2 : i - SHOP;
	parties[HOST].host = true;
	add_prefix(&parties[NET], "10.0.0.0/8");
	add_prefix(&parties[NET], "fd00::/64");
	add_prefix(&parties[WORLD], "::/0");
	add_prefix(&parties[WORLD], "0.0.0.0/0");
	world->comparison.parties = parties;
	world->comparison.parties_count = COUNT;
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	comparison_clear(&world->comparison);
	model_free(world->model);
	free(world);
	return 0;
}

static void check(const struct world *world, uint64_t set, bool whole, const char *expected)
{
	_cleanup_free_ char *text =
		diff_name_parties(world->model, &world->comparison, &set, whole);

	assert_string_equal(text, expected);
}

#define BITS(first, last) (((UINT64_C(1) << ((last) - (first) + 1)) - 1) << (first))

static void test_parties(void **state)
{
	const struct world *world = *state;

	check(world, BITS(1, 1), false, "shop/w01");
	check(world, BITS(0, 2), false, "shop/w00, shop/w01, shop/w02");
	check(world, BITS(0, 3), false, "shop/w00, shop/w01, and 2 more in shop");
	check(world, BITS(0, 3), true, "shop/w00, shop/w01, shop/w02, shop/w03");
	check(world, BITS(0, 7), false, "shop: app=api (8)");
	check(world, BITS(0, 6), false, "shop/w00, shop/w01, and 5 more in shop");
	check(world, BITS(8, 11), false, "shop: app=web (4)");
	check(world, BITS(0, 11), false, "shop: all (12)");
	check(world, BITS(0, 7) | BITS(12, 13), false, "app=api everywhere (10)");
	check(world, BITS(0, 7) | BITS(12, 12), false, "bank/w12, shop: app=api (8)");
	check(world, BITS(0, 13), false, "bank: all (2), shop: all (12)");
	check(world, BITS(0, 16), false, "everyone");
	check(world, BITS(HOST, HOST), false, "host");
	check(world, BITS(NET, WORLD), false, "world");
	check(world, BITS(NET, NET), false, "10.0.0.0/8, fd00::/64");
	check(world, BITS(WORLD, WORLD), false, "rest of the world");
}

static void check_ports(struct comparison_range *ranges, size_t count,
	enum comparison_family family, const char *expected)
{
	const struct comparison_row row = {
		.family = family, .ranges = ranges, .ranges_count = count};
	_cleanup_free_ char *text = diff_name_ports(&row);

	assert_string_equal(text, expected);
}

static void test_ports(void **state)
{
	struct comparison_range all[] = {{IPPROTO_ICMP, 0, 0, 65535}, {IPPROTO_TCP, 0, 0, 65535},
		{IPPROTO_UDP, 0, 0, 65535}, {IPPROTO_ICMPV6, 0, 0, 65535},
		{IPPROTO_SCTP, 0, 0, 65535}, {COMPARISON_PROTOCOL_OTHER, 0, 0, 65535}};
	struct comparison_range two[] = {{IPPROTO_TCP, 0, 80, 80}, {IPPROTO_UDP, 0, 0, 65535}};

	(void)state;
	check_ports(all, 6, COMPARISON_ALL_FAMILIES, "all");
	check_ports(all, 5, COMPARISON_ALL_FAMILIES, "all but other protocols");
	check_ports(two, 2, COMPARISON_ALL_FAMILIES, "tcp/80, udp");
	check_ports(two, 1, COMPARISON_IPV6, "tcp/80 (IPv6 only)");
	check_ports(all, 1, COMPARISON_IPV4, "icmp (IPv4 only)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_parties, set_up, tear_down),
		cmocka_unit_test(test_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
