/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/intervals.h"

#include "fixture.h"

#include <linux/netfilter/nf_tables.h>

#define CLASSES 64

static struct ir_prefix prefix(const char *text, uint32_t class)
{
	struct ir_prefix prefix = {.class = class};

	assert_int_equal(prefix_parse(text, &prefix.prefix), 0);
	return prefix;
}

static int compare(const void *one, const void *other)
{
	const struct ir_prefix *a = one, *b = other;

	return prefix_compare(&a->prefix, &b->prefix);
}

/* What longest prefix match says, the slow way. */
static uint32_t longest(
	const struct ir_prefix *prefixes, size_t count, const struct address *address)
{
	uint32_t class = UINT32_MAX;
	int length = -1;

	for (size_t i = 0; i < count; i++) {
		if (prefixes[i].prefix.length <= length ||
			!prefix_contains(&prefixes[i].prefix, address))
			continue;
		class = prefixes[i].class;
		length = prefixes[i].prefix.length;
	}
	return class;
}

static void test_nested_prefixes_become_disjoint(void **state)
{
	const struct ir_prefix prefixes[] = {prefix("0.0.0.0/0", 0), prefix("10.0.0.0/8", 1),
		prefix("10.0.0.0/16", 2), prefix("10.255.0.0/16", 3),
		prefix("10.255.255.255/32", 4), prefix("255.255.255.255/32", 5)};
	const uint32_t classes[] = {2, 1, 3, 4, 0, 5};
	struct interval_list list;
	size_t found = 0;

	(void)state;
	assert_int_equal(intervals_from_prefixes(prefixes, 6, true, &list), 0);
	/* 0/0 before and behind 10/8: seven in all. */
	assert_int_equal(list.count, 7);
	assert_int_equal(list.items[0].class, 0);
	for (size_t i = 1; i < list.count; i++) {
		assert_true(list.items[i].first == list.items[i - 1].last + 1);
		assert_int_equal(list.items[i].class, classes[found++]);
	}
	assert_true((uint32_t)list.items[6].last == UINT32_MAX);
	intervals_clear(&list);
}

static void test_families_do_not_mix(void **state)
{
	const struct ir_prefix prefixes[] = {
		prefix("::/0", 0), prefix("0.0.0.0/0", 1), prefix("2001:db8::/32", 2)};
	struct address ipv4 = fixture_address("1.2.3.4"), ipv6 = fixture_address("2001:db8::1");
	struct interval_list list;
	uint32_t class;

	(void)state;
	assert_int_equal(intervals_from_prefixes(prefixes, 3, true, &list), 0);
	assert_int_equal(list.count, 1);
	assert_true(intervals_find(&list, &ipv4, &class));
	assert_int_equal(class, 1);
	assert_false(intervals_find(&list, &ipv6, &class));
	intervals_clear(&list);
	assert_int_equal(intervals_from_prefixes(prefixes, 3, false, &list), 0);
	assert_int_equal(list.count, 3);
	assert_true(list.items[2].last == ~(unsigned __int128)0);
	assert_true(intervals_find(&list, &ipv6, &class));
	assert_int_equal(class, 2);
	intervals_clear(&list);
}

/* Few bits, so that prefixes nest and touch. */
static struct address random_address(bool ipv4)
{
	struct address address = fixture_address(ipv4 ? "10.0.0.0" : "fd00::");

	address.bytes[14] = (uint8_t)(rand() % 4);
	address.bytes[15] = (uint8_t)rand();
	return address;
}

static void test_agrees_with_longest_prefix(void **state)
{
	struct ir_prefix prefixes[CLASSES];
	struct interval_list list;

	(void)state;
	srand(1);
	for (unsigned int round = 0; round < 200; round++) {
		bool ipv4 = round % 2;
		size_t count = 1;

		prefixes[0] = prefix(ipv4 ? "0.0.0.0/0" : "::/0", 0);
		while (count < CLASSES) {
			char text[PREFIX_TEXT_MAX], address_text[ADDRESS_TEXT_MAX];
			struct address address = random_address(ipv4);

			snprintf(text, sizeof(text), "%s/%d",
				address_format(&address, address_text),
				(ipv4 ? 20 : 116) + rand() % 13);
			(void)prefix_parse(text, &prefixes[count].prefix);
			prefixes[count].class = (uint32_t)count % 7;
			/* An IR has each prefix once. */
			for (size_t i = 0; i <= count; i++)
				if (i == count || !prefix_compare(&prefixes[i].prefix,
							  &prefixes[count].prefix)) {
					count += i == count;
					break;
				}
		}
		qsort(prefixes, count, sizeof(prefixes[0]), compare);
		assert_int_equal(intervals_from_prefixes(prefixes, count, ipv4, &list), 0);
		for (unsigned int i = 0; i < 500; i++) {
			struct address address = random_address(ipv4);
			uint32_t class;

			assert_true(intervals_find(&list, &address, &class));
			assert_int_equal(class, longest(prefixes, count, &address));
		}
		intervals_clear(&list);
	}
}

static void test_elements_merge_and_leave_out(void **state)
{
	const struct ir_prefix prefixes[] = {prefix("0.0.0.0/0", 0), prefix("10.0.0.0/24", 1),
		prefix("10.0.1.0/24", 2), prefix("10.0.2.0/24", 3), prefix("255.0.0.0/8", 2)};
	const struct target otherwise = {.code = NFT_RETURN}, one = {NFT_GOTO, 1},
			    two = {NFT_GOTO, 2};
	const struct target targets[] = {otherwise, one, one, two};
	struct element_list elements = {0};
	struct interval_list list;

	(void)state;
	assert_int_equal(intervals_from_prefixes(prefixes, 5, true, &list), 0);
	assert_int_equal(intervals_to_elements(&list, true, targets, otherwise, &elements), 0);
	/* 10.0.0.0-10.0.1.255, 10.0.2.0/24, and 255/8, which has no end. */
	assert_int_equal(elements.count, 5);
	assert_memory_equal(elements.items[0].key, "\x0a\x00\x00\x00", 4);
	assert_int_equal(elements.items[1].kind, ELEMENT_RANGE_END);
	assert_memory_equal(elements.items[1].key, "\x0a\x00\x02\x00", 4);
	assert_memory_equal(elements.items[2].key, "\x0a\x00\x02\x00", 4);
	assert_true(target_equal(elements.items[2].target, two));
	assert_memory_equal(elements.items[3].key, "\x0a\x00\x03\x00", 4);
	assert_memory_equal(elements.items[4].key, "\xff\x00\x00\x00", 4);
	element_list_clear(&elements);
	intervals_clear(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nested_prefixes_become_disjoint),
		cmocka_unit_test(test_families_do_not_mix),
		cmocka_unit_test(test_agrees_with_longest_prefix),
		cmocka_unit_test(test_elements_merge_and_leave_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
