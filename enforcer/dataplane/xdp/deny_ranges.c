/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/xdp/deny_ranges.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST  1024
#define BUCKET_BITS 16

/* ::ffff:0:0/96, where IPv4 lives */
static const __u64 ipv4_first[2] = {0, 0xffff00000000};
static const __u64 ipv4_last[2] = {0, 0xffffffffffff};

static int compare_numbers(const __u64 a[2], const __u64 b[2])
{
	if (a[0] != b[0])
		return a[0] < b[0] ? -1 : 1;
	return (a[1] > b[1]) - (a[1] < b[1]);
}

static int compare_ranges(const void *a, const void *b)
{
	const struct abi_deny_range *left = a, *right = b;

	return compare_numbers(left->first, right->first);
}

static struct abi_deny_range range_of(const struct prefix *prefix)
{
	const unsigned int free_bits = 128 - prefix->length;
	struct abi_deny_range range;
	__u64 halves[2];

	memcpy(halves, prefix->address.bytes, sizeof(halves));
	for (size_t i = 0; i < 2; i++)
		range.first[i] = range.last[i] = be64toh(halves[i]);
	if (free_bits >= 64)
		range.last[1] = UINT64_MAX;
	else
		range.last[1] |= ((__u64)1 << free_bits) - 1;
	if (free_bits == 128)
		range.last[0] = UINT64_MAX;
	else if (free_bits > 64)
		range.last[0] |= ((__u64)1 << (free_bits - 64)) - 1;
	return range;
}

static int add(struct deny_ranges *ranges, const struct abi_deny_range *range)
{
	if (ranges->count == ranges->room) {
		size_t room = ranges->room ? ranges->room * 2 : ROOM_FIRST;
		struct abi_deny_range *grown =
			reallocarray(ranges->items, room, sizeof(*ranges->items));

		if (!grown)
			return -ENOMEM;
		ranges->items = grown;
		ranges->room = room;
	}
	ranges->items[ranges->count++] = *range;
	return 0;
}

int deny_ranges_add(struct deny_ranges *ranges, const struct prefix *prefix)
{
	const struct abi_deny_range whole = range_of(prefix);
	struct abi_deny_range below = whole, above = whole;
	int r = 0;

	if (prefix_is_ipv4(prefix) || compare_numbers(whole.first, ipv4_first) > 0 ||
		compare_numbers(whole.last, ipv4_last) < 0)
		return add(ranges, &whole);
	below.last[0] = ipv4_first[0];
	below.last[1] = ipv4_first[1] - 1;
	above.first[0] = ipv4_last[0];
	above.first[1] = ipv4_last[1] + 1;
	if (compare_numbers(whole.first, ipv4_first) < 0)
		r = add(ranges, &below);
	if (r == 0 && compare_numbers(whole.last, ipv4_last) > 0)
		r = add(ranges, &above);
	return r;
}

/* next begins at or below the end of range, or right behind it. */
static bool touches(const struct abi_deny_range *range, const struct abi_deny_range *next)
{
	__u64 behind[2] = {range->last[0], range->last[1] + 1};

	if (!behind[1] && !++behind[0])
		return true; /* range ends where all numbers end */
	return compare_numbers(next->first, behind) <= 0;
}

static bool is_sorted(const struct deny_ranges *ranges)
{
	for (size_t i = 1; i < ranges->count; i++) {
		if (compare_ranges(&ranges->items[i - 1], &ranges->items[i]) > 0)
			return false;
	}
	return true;
}

void deny_ranges_finish(struct deny_ranges *ranges)
{
	size_t kept = 0;

	/* Most lists come sorted. */
	if (!is_sorted(ranges))
		qsort(ranges->items, ranges->count, sizeof(*ranges->items), compare_ranges);
	for (size_t i = 1; i < ranges->count; i++) {
		struct abi_deny_range *last = &ranges->items[kept];
		const struct abi_deny_range *next = &ranges->items[i];

		if (!touches(last, next))
			ranges->items[++kept] = *next;
		else if (compare_numbers(next->last, last->last) > 0)
			memcpy(last->last, next->last, sizeof(last->last));
	}
	if (ranges->count)
		ranges->count = kept + 1;
}

void deny_ranges_clear(struct deny_ranges *ranges)
{
	free(ranges->items);
	*ranges = (struct deny_ranges){0};
}

size_t deny_ranges_rows(const struct deny_ranges *ranges)
{
	return ABI_DENY_BUCKET_ROWS + ranges->count;
}

/* Where the bucket of a family begins. */
static void bucket_start(bool ipv4, __u64 bucket, __u64 start[2])
{
	start[0] = ipv4 ? ipv4_first[0] : bucket << (64 - BUCKET_BITS);
	start[1] = ipv4 ? ipv4_first[1] + (bucket << (32 - BUCKET_BITS)) : 0;
}

/* How many ranges begin below start, counting on from those of an earlier start. */
static size_t count_below(const struct deny_ranges *ranges, size_t from, const __u64 start[2])
{
	while (from < ranges->count && compare_numbers(ranges->items[from].first, start) < 0)
		from++;
	return from;
}

static void write_buckets(const struct deny_ranges *ranges, bool ipv4, union abi_deny_row *rows)
{
	__u64 start[2];
	size_t first;

	bucket_start(ipv4, 0, start);
	first = count_below(ranges, 0, start);
	for (__u64 i = 0; i < ABI_DENY_BUCKETS; i++) {
		size_t number = i + (ipv4 ? ABI_DENY_BUCKETS : 0);
		size_t last = ranges->count;

		/* Behind the last bucket of IPv6 there are no numbers. */
		if (ipv4 || i + 1 < ABI_DENY_BUCKETS) {
			bucket_start(ipv4, i + 1, start);
			last = count_below(ranges, first, start);
		}
		rows[number / ABI_DENY_BUCKETS_PER_ROW].buckets[number % ABI_DENY_BUCKETS_PER_ROW] =
			(struct abi_deny_bucket){(uint32_t)first, (uint32_t)last};
		first = last;
	}
}

void deny_ranges_write(const struct deny_ranges *ranges, union abi_deny_row *rows)
{
	write_buckets(ranges, false, rows);
	write_buckets(ranges, true, rows);
	for (size_t i = 0; i < ranges->count; i++)
		rows[ABI_DENY_BUCKET_ROWS + i].range = ranges->items[i];
}
