/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ranges as they are searched in the kernel, against asking every prefix. */
#include "dataplane/xdp/deny_ranges.h"

#include "base/cleanup.h"

#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MODELS 200

static void add(struct deny_ranges *ranges, const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix), 0);
	assert_int_equal(deny_ranges_add(ranges, &prefix), 0);
}

static int compare(const __u64 a[2], const __u64 b[2])
{
	if (a[0] != b[0])
		return a[0] < b[0] ? -1 : 1;
	return (a[1] > b[1]) - (a[1] < b[1]);
}

/* As deny_list_has() does, but one after the other inside the bucket. */
static bool listed(const union abi_deny_row *rows, const struct address *address)
{
	const struct abi_deny_bucket *bucket;
	const struct abi_deny_range *range;
	uint64_t halves[2];
	__u64 number[2];
	size_t index;

	memcpy(halves, address->bytes, sizeof(halves));
	number[0] = be64toh(halves[0]);
	number[1] = be64toh(halves[1]);
	index = address_is_ipv4(address) ? ABI_DENY_BUCKETS + (number[1] >> 16 & 0xffff)
					 : number[0] >> 48;
	bucket = &rows[index / ABI_DENY_BUCKETS_PER_ROW].buckets[index % ABI_DENY_BUCKETS_PER_ROW];
	for (size_t i = bucket->last; i + 1 > bucket->first && i > 0; i--) {
		range = &rows[ABI_DENY_BUCKET_ROWS + i - 1].range;
		if (compare(range->first, number) <= 0)
			return compare(range->last, number) >= 0;
	}
	return false;
}

static bool listed_text(const union abi_deny_row *rows, const char *text)
{
	struct address address;

	assert_int_equal(address_parse(text, &address), 0);
	return listed(rows, &address);
}

static union abi_deny_row *finish(struct deny_ranges *ranges)
{
	union abi_deny_row *rows;

	deny_ranges_finish(ranges);
	rows = calloc(deny_ranges_rows(ranges), sizeof(*rows));
	assert_non_null(rows);
	deny_ranges_write(ranges, rows);
	return rows;
}

static void overlapping_and_adjoining_become_one(void **state)
{
	_cleanup_deny_ranges_ struct deny_ranges ranges = {0};
	_cleanup_free_ union abi_deny_row *rows = NULL;

	(void)state;
	add(&ranges, "10.1.0.0/16");
	add(&ranges, "10.0.0.0/16");
	add(&ranges, "10.0.5.0/24");
	add(&ranges, "10.0.5.0/24");
	add(&ranges, "10.3.0.0/16");
	rows = finish(&ranges);
	assert_int_equal(ranges.count, 2);
	assert_true(listed_text(rows, "10.0.0.0"));
	assert_true(listed_text(rows, "10.1.255.255"));
	assert_false(listed_text(rows, "10.2.0.0"));
	assert_false(listed_text(rows, "9.255.255.255"));
	assert_true(listed_text(rows, "10.3.0.1"));
	assert_false(listed_text(rows, "10.4.0.0"));
}

/* A range that begins in an earlier bucket covers whole ones. */
static void ranges_span_buckets(void **state)
{
	_cleanup_deny_ranges_ struct deny_ranges ranges = {0};
	_cleanup_free_ union abi_deny_row *rows = NULL;

	(void)state;
	add(&ranges, "64.0.0.0/2");
	add(&ranges, "2001:db8::/29");
	rows = finish(&ranges);
	assert_true(listed_text(rows, "64.0.0.0"));
	assert_true(listed_text(rows, "100.7.8.9"));
	assert_true(listed_text(rows, "127.255.255.255"));
	assert_false(listed_text(rows, "128.0.0.0"));
	assert_true(listed_text(rows, "2001:dbf:ffff:ffff:ffff:ffff:ffff:ffff"));
	assert_false(listed_text(rows, "2001:dc0::"));
}

static void ipv6_does_not_cover_ipv4(void **state)
{
	_cleanup_deny_ranges_ struct deny_ranges ranges = {0};
	_cleanup_free_ union abi_deny_row *rows = NULL;

	(void)state;
	add(&ranges, "::/8");
	rows = finish(&ranges);
	assert_int_equal(ranges.count, 2);
	assert_false(listed_text(rows, "0.0.0.0"));
	assert_false(listed_text(rows, "255.255.255.255"));
	assert_true(listed_text(rows, "::1"));
	assert_true(listed_text(rows, "::1:0:0:0"));
	assert_true(listed_text(rows, "ff::1"));
	assert_false(listed_text(rows, "100::"));
}

static void the_ends_of_all_numbers(void **state)
{
	_cleanup_deny_ranges_ struct deny_ranges ranges = {0};
	_cleanup_free_ union abi_deny_row *rows = NULL;

	(void)state;
	add(&ranges, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
	add(&ranges, "ff00::/8");
	add(&ranges, "::/128");
	add(&ranges, "255.255.255.255/32");
	rows = finish(&ranges);
	assert_int_equal(ranges.count, 3);
	assert_true(listed_text(rows, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
	assert_true(listed_text(rows, "::"));
	assert_false(listed_text(rows, "::1"));
	assert_true(listed_text(rows, "255.255.255.255"));
	assert_false(listed_text(rows, "255.255.255.254"));
}

static void nothing_lists_nothing(void **state)
{
	_cleanup_deny_ranges_ struct deny_ranges ranges = {0};
	_cleanup_free_ union abi_deny_row *rows = NULL;

	(void)state;
	rows = finish(&ranges);
	assert_false(listed_text(rows, "1.2.3.4"));
	assert_false(listed_text(rows, "2001:db8::1"));
}

static struct prefix random_prefix(void)
{
	bool ipv4 = random() % 3;
	struct prefix prefix = {
		.length = (uint8_t)(ipv4 ? 97 + random() % 32 : 1 + random() % 128)};
	char text[PREFIX_TEXT_MAX];

	/* Few values in few bytes, so that prefixes meet. */
	for (size_t i = 0; i < 16; i++)
		prefix.address.bytes[i] = (uint8_t)(random() % 3 ? 0 : random() % 4 * 85);
	if (ipv4)
		memcpy(prefix.address.bytes, (uint8_t[12]){[10] = 0xff, [11] = 0xff}, 12);
	else
		prefix.address.bytes[11] = 0; /* never in IPv4's place */
	prefix_format(&prefix, text);
	/* Clears the bits behind the length. */
	if (prefix_parse(text, &prefix) == -EINVAL)
		fail_msg("%s is no prefix", text);
	return prefix;
}

static void random_lists_agree_with_their_prefixes(void **state)
{
	size_t hits = 0;

	(void)state;
	srandom(7);
	for (size_t model = 0; model < MODELS; model++) {
		_cleanup_deny_ranges_ struct deny_ranges ranges = {0};
		_cleanup_free_ union abi_deny_row *rows = NULL;
		struct prefix prefixes[24];

		for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
			prefixes[i] = random_prefix();
			assert_int_equal(deny_ranges_add(&ranges, &prefixes[i]), 0);
		}
		rows = finish(&ranges);
		for (size_t probe = 0; probe < 200; probe++) {
			struct address address = random_prefix().address;
			bool expected = false;

			for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
				expected |= prefix_contains(&prefixes[i], &address);
			assert_int_equal(listed(rows, &address), expected);
			hits += expected;
		}
	}
	assert_in_range(hits, 1000, MODELS * 200 - 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(overlapping_and_adjoining_become_one),
		cmocka_unit_test(ranges_span_buckets),
		cmocka_unit_test(ipv6_does_not_cover_ipv4),
		cmocka_unit_test(the_ends_of_all_numbers),
		cmocka_unit_test(nothing_lists_nothing),
		cmocka_unit_test(random_lists_agree_with_their_prefixes),
	};

	return cmocka_run_group_tests_name("deny_ranges", tests, NULL, NULL);
}
