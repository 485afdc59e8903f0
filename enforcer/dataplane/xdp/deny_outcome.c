/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/xdp/deny_outcome.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "dataplane/xdp/deny_file.h"
#include "dataplane/xdp/deny_ranges.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

static int fill(int map, const struct deny_ranges *ranges, size_t rows, struct error *error)
{
	const size_t bytes = rows * sizeof(union abi_deny_row);
	union abi_deny_row *memory;

	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	if (memory == MAP_FAILED)
		return error_errno(error, -errno, "map deny lists into memory");
	deny_ranges_write(ranges, memory);
	munmap(memory, bytes);
	return 0;
}

static int make_map(const struct deny_ranges *ranges, int *ret, struct error *error)
{
	const struct bpf_map_create_opts options = {
		.sz = sizeof(options), .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE};
	const size_t rows = deny_ranges_rows(ranges);
	_cleanup_close_ int map = -1;
	int r;

	if (ranges->count > ABI_MAX_DENY_RANGES)
		return error_set(error, -E2BIG,
			"the deny lists have %zu ranges of addresses that do not adjoin, at most %u fit",
			ranges->count, ABI_MAX_DENY_RANGES);
	map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "deny_ranges", sizeof(uint32_t),
		sizeof(union abi_deny_row), (uint32_t)rows, &options);
	if (map < 0)
		return error_errno(
			error, -errno, "make a map of %zu ranges of addresses", ranges->count);
	r = fill(map, ranges, rows, error);
	if (r < 0)
		return r;
	*ret = TAKE_FD(map);
	return 0;
}

int deny_outcome_make(
	const char *const *files, size_t count, struct deny_outcome *ret, struct error *error)
{
	_cleanup_deny_outcome_ struct deny_outcome outcome = DENY_OUTCOME_INIT;
	_cleanup_deny_ranges_ struct deny_ranges ranges = {0};
	int r = 0;

	outcome.start_ns = clock_ns(CLOCK_MONOTONIC);
	outcome.prefixes = calloc(count + 1, sizeof(*outcome.prefixes));
	if (!outcome.prefixes)
		return error_nomem(error);
	for (size_t i = 0; i < count && r == 0; i++)
		r = deny_file_read(files[i], &ranges, &outcome.prefixes[i], error);
	if (r < 0)
		return r;
	deny_ranges_finish(&ranges);
	outcome.ranges = ranges.count;
	if (ranges.count)
		r = make_map(&ranges, &outcome.map, error);
	if (r < 0)
		return r;
	*ret = outcome;
	outcome = (struct deny_outcome)DENY_OUTCOME_INIT;
	return 0;
}

void deny_outcome_clear(struct deny_outcome *outcome)
{
	closep(&outcome->map);
	free(outcome->prefixes);
	*outcome = (struct deny_outcome)DENY_OUTCOME_INIT;
}
