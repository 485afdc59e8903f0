/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What early dropping drops: the ranges of the deny lists, and whom quarantine lets through. */
#include "base/cleanup.h"
#include "dataplane/bpf/dump.h"
#include "dataplane/xdp/xdp_private.h"

#include <bpf/bpf.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

static int dump_investigators(
	const struct xdp *xdp, const struct dump *dump, struct dump_cursor *cursor)
{
	_cleanup_walk_ struct walk walk =
		WALK_INIT(xdp->objects.investigators, struct abi_prefix_key, uint32_t);
	const struct abi_prefix_key *keys;
	const uint32_t *rights;
	char text[PREFIX_TEXT_MAX];
	uint32_t count;
	bool more;
	int r = dump_read(&walk, cursor, &count, &more);

	if (r < 0)
		return r;
	keys = (const void *)walk.keys;
	rights = (const void *)walk.values;
	for (uint32_t i = 0; i < count; i++) {
		const struct prefix prefix = {
			address_from_ipv6(keys[i].bytes), (uint8_t)keys[i].length};

		dump->entry(json_pack("{s:s, s:b, s:b}", "prefix", prefix_format(&prefix, text),
				    "traffic", !!(rights[i] & ABI_INVESTIGATOR_TRAFFIC),
				    "neighbour", !!(rights[i] & ABI_INVESTIGATOR_NEIGHBOUR)),
			dump->userdata);
	}
	return more;
}

static const char *format_bound(const __u64 number[2], char text[static ADDRESS_TEXT_MAX])
{
	const __u64 bytes[2] = {htobe64(number[0]), htobe64(number[1])};
	const struct address address = address_from_ipv6(bytes);

	return address_format(&address, text);
}

/* The map that is in force may be exchanged between two pages: then the rest is that of the new
 * one. */
static int dump_ranges(const struct xdp *xdp, const struct dump *dump, struct dump_cursor *cursor)
{
	const uint32_t zero = 0, before_ranges = ABI_DENY_BUCKET_ROWS - 1;
	_cleanup_close_ int map = -1;
	uint32_t id, count;
	bool more;
	int r = bpf_map_lookup_elem(xdp->objects.deny_lists, &zero, &id);

	map = r < 0 ? r : bpf_map_get_fd_by_id(id);
	if (map < 0)
		return map == -ENOENT ? 0 : map;

	_cleanup_walk_ struct walk walk = WALK_INIT(map, uint32_t, union abi_deny_row);
	const union abi_deny_row *rows;

	/* Buckets come first; an array's place is its last index. */
	if (!cursor->started)
		memcpy(cursor->token, &before_ranges, sizeof(before_ranges));
	cursor->started = true;
	r = dump_read(&walk, cursor, &count, &more);
	if (r < 0)
		return r;
	rows = (const void *)walk.values;
	for (uint32_t i = 0; i < count; i++) {
		char first[ADDRESS_TEXT_MAX], last[ADDRESS_TEXT_MAX];

		dump->entry(
			json_pack("{s:s, s:s}", "first", format_bound(rows[i].range.first, first),
				"last", format_bound(rows[i].range.last, last)),
			dump->userdata);
	}
	return more;
}

int xdp_dump(
	struct xdp *xdp, const struct dump *dump, struct dump_cursor *cursor, struct error *error)
{
	int r;

	if (!xdp->is_open)
		return 0;
	r = dump->table == DATAPLANE_DENY_RANGES ? dump_ranges(xdp, dump, cursor)
						 : dump_investigators(xdp, dump, cursor);
	return r < 0 ? error_errno(error, r, "read a table of early dropping") : r;
}
