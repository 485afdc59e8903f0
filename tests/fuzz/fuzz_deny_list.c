/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as a deny list: refused with its lines, or ranges in order, in a map in which the
 * kernel's search finds each end of each range and neither neighbour. */
#include "dataplane/xdp/deny_file.h"

#include "base/cleanup.h"

#include <endian.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static int compare(const __u64 a[2], const __u64 b[2])
{
	if (a[0] != b[0])
		return a[0] < b[0] ? -1 : 1;
	return (a[1] > b[1]) - (a[1] < b[1]);
}

static bool is_ipv4(const __u64 number[2])
{
	return !number[0] && number[1] >> 32 == 0xffff;
}

/* As deny_list_has() in deny_list.bpf.h. */
static bool listed(const union abi_deny_row *rows, const __u64 number[2])
{
	const size_t index =
		is_ipv4(number) ? ABI_DENY_BUCKETS + (number[1] >> 16 & 0xffff) : number[0] >> 48;
	const struct abi_deny_bucket *bucket =
		&rows[index / ABI_DENY_BUCKETS_PER_ROW].buckets[index % ABI_DENY_BUCKETS_PER_ROW];
	uint32_t first = bucket->first, last = bucket->last;

	while (first < last) {
		uint32_t middle = first + (last - first) / 2;

		if (compare(rows[ABI_DENY_BUCKET_ROWS + middle].range.first, number) > 0)
			last = middle;
		else
			first = middle + 1;
	}
	return first && compare(rows[ABI_DENY_BUCKET_ROWS + first - 1].range.last, number) >= 0;
}

static void step(__u64 number[2], int by)
{
	__u64 low = number[1] + (__u64)(int64_t)by;

	number[0] += by > 0 ? low < number[1] : -(__u64)(low > number[1]);
	number[1] = low;
}

/* The number next to an end, which wraps to the other end of all numbers. */
static bool neighbour_listed(const union abi_deny_row *rows, const __u64 end[2], int by)
{
	__u64 number[2] = {end[0], end[1]};

	step(number, by);
	return listed(rows, number);
}

static bool wraps(const __u64 end[2], int by)
{
	const __u64 edge = by > 0 ? UINT64_MAX : 0;

	return end[0] == edge && end[1] == edge;
}

static void check_range(const union abi_deny_row *rows, const struct abi_deny_range *range)
{
	require(compare(range->first, range->last) <= 0);
	require(listed(rows, range->first) && listed(rows, range->last));
	require(wraps(range->first, -1) || !neighbour_listed(rows, range->first, -1));
	require(wraps(range->last, 1) || !neighbour_listed(rows, range->last, 1));
}

static void check(struct deny_ranges *ranges)
{
	_cleanup_free_ union abi_deny_row *rows = NULL;

	deny_ranges_finish(ranges);
	rows = calloc(deny_ranges_rows(ranges), sizeof(*rows));
	require(rows);
	deny_ranges_write(ranges, rows);
	for (size_t i = 0; i < ranges->count; i++)
		check_range(rows, &ranges->items[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_deny_ranges_ struct deny_ranges ranges = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_file_ FILE *stream = size ? fmemopen((void *)data, size, "r") : NULL;
	size_t prefixes = SIZE_MAX;

	if (!stream)
		return 0;
	if (deny_stream_read(stream, "list", &ranges, &prefixes, &error) < 0) {
		require(!strncmp(error_message(&error), "list:", 5) && prefixes == SIZE_MAX);
		return 0;
	}
	require(ranges.count >= prefixes); /* one that covers IPv4 becomes two */
	if (prefixes)
		check(&ranges);
	return 0;
}
