/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The prefixes decide every one of 65536 ports as the ranges do, and are few. */
#include "dataplane/bpf/port_prefixes.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static const struct decision otherwise = {.verdict = VERDICT_DENY, .rule = 1};

static struct decision rule(uint32_t id)
{
	return (struct decision){.verdict = VERDICT_ALLOW, .rule = id};
}

static struct ir_port_range range(uint16_t first, uint16_t last, uint32_t id)
{
	return (struct ir_port_range){.first = first, .last = last, .decision = rule(id)};
}

static struct decision by_ranges(const struct ir_port_range *ranges, size_t count, unsigned port)
{
	for (size_t i = 0; i < count; i++)
		if (ranges[i].first <= port && port <= ranges[i].last)
			return ranges[i].decision;
	return otherwise;
}

/* Every prefix paints what it covers; longer ones are painted later. */
static void paint(const struct port_prefix *prefixes, size_t count, struct decision painted[65536])
{
	for (size_t port = 0; port < 65536; port++)
		painted[port] = otherwise;
	for (unsigned length = 0; length <= 16; length++)
		for (size_t i = 0; i < count; i++)
			for (uint32_t n = 0; prefixes[i].length == length && n < 65536u >> length;
				n++)
				painted[prefixes[i].port + n] = prefixes[i].decision;
}

/* Returns how many prefixes there are. */
static size_t check(const struct ir_port_range *ranges, size_t count)
{
	_cleanup_free_ struct decision *painted = calloc(65536, sizeof(*painted));
	_cleanup_free_ struct port_prefix *prefixes = NULL;
	size_t prefixes_count = 0;

	assert_non_null(painted);
	assert_int_equal(
		port_prefixes_compile(ranges, count, &otherwise, &prefixes, &prefixes_count), 0);
	for (size_t i = 0; i < prefixes_count; i++) {
		assert_in_range(prefixes[i].length, 0, 16);
		assert_int_equal(prefixes[i].port & ((65536u >> prefixes[i].length) - 1), 0);
		for (size_t j = 0; j < i; j++)
			assert_false(prefixes[i].port == prefixes[j].port &&
				     prefixes[i].length == prefixes[j].length);
	}
	paint(prefixes, prefixes_count, painted);
	for (unsigned port = 0; port < 65536; port++) {
		struct decision right = by_ranges(ranges, count, port);

		if (!decision_equal(&right, &painted[port]))
			fail_msg("port %u: rule %u instead of %u", port, painted[port].rule,
				right.rule);
	}
	return prefixes_count;
}

static void test_known_sizes(void **state)
{
	const struct ir_port_range all[] = {range(0, 65535, 2)};
	const struct ir_port_range one[] = {range(5432, 5432, 2)};
	const struct ir_port_range halves[] = {range(0, 32767, 2), range(32768, 65535, 3)};
	const struct ir_port_range adjacent[] = {range(80, 80, 2), range(81, 81, 2)};
	/* All but the first and the last: one short prefix and two exceptions instead of 30. */
	const struct ir_port_range inner[] = {range(1, 65534, 2)};
	const struct ir_port_range as_otherwise[] = {
		{.first = 10, .last = 99, .decision = otherwise}};

	(void)state;
	assert_int_equal(check(NULL, 0), 0);
	assert_int_equal(check(all, ARRAY_SIZE(all)), 1);
	assert_int_equal(check(one, ARRAY_SIZE(one)), 1);
	assert_int_equal(check(halves, ARRAY_SIZE(halves)), 2);
	assert_int_equal(check(adjacent, ARRAY_SIZE(adjacent)), 1);
	assert_int_equal(check(inner, ARRAY_SIZE(inner)), 3);
	assert_int_equal(check(as_otherwise, ARRAY_SIZE(as_otherwise)), 0);
}

static void test_edges(void **state)
{
	const uint16_t edges[] = {0, 1, 2, 7, 8, 255, 256, 32767, 32768, 65534, 65535};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(edges); i++) {
		for (size_t j = i; j < ARRAY_SIZE(edges); j++) {
			const struct ir_port_range ranges[] = {range(edges[i], edges[j], 2)};

			/* A range never needs more prefixes than it has in a plain split. */
			assert_in_range(check(ranges, 1), 1, 30);
		}
	}
}

static void test_random(void **state)
{
	unsigned int seed = (unsigned int)time(NULL);

	(void)state;
	print_message("seed %u\n", seed);
	for (unsigned round = 0; round < 200; round++) {
		struct ir_port_range ranges[64];
		unsigned int step = 1u << (rand_r(&seed) % 13);
		unsigned int port = 0;
		size_t count = 0;

		while (count < ARRAY_SIZE(ranges)) {
			unsigned int first = port + (unsigned)rand_r(&seed) % step;
			unsigned int last = first + (unsigned)rand_r(&seed) % step;

			if (last > 65535)
				break;
			ranges[count++] =
				range((uint16_t)first, (uint16_t)last, 2 + rand_r(&seed) % 4);
			port = last + 1;
		}
		check(ranges, count);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_sizes),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
