/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom quarantined workloads may send to. */
#include "dataplane/xdp/xdp_private.h"

#include "base/cleanup.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

struct investigator {
	struct abi_prefix_key key;
	uint32_t flags;
	UT_hash_handle hh;
};

static void investigators_clear(struct investigator **investigators)
{
	struct investigator *item, *next;

	HASH_ITER (hh, *investigators, item, next) {
		HASH_DEL(*investigators, item);
		free(item);
	}
}

static int put(struct investigator **investigators, const struct prefix *prefix, uint32_t flags)
{
	_cleanup_free_ struct investigator *fresh = NULL;
	struct abi_prefix_key key = {.length = prefix->length};
	struct investigator *item;

	memcpy(key.bytes, prefix->address.bytes, sizeof(key.bytes));
	HASH_FIND(hh, *investigators, &key, sizeof(key), item);
	if (item) {
		item->flags |= flags;
		return 0;
	}
	fresh = calloc(1, sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	fresh->key = key;
	fresh->flags = flags;
	HASH_ADD(hh, *investigators, key, sizeof(fresh->key), fresh);
	if (!HASH_ADDED(fresh))
		return -ENOMEM;
	fresh = NULL;
	return 0;
}

/* The longest prefix decides, so a neighbour inside an investigators' prefix has both. */
static uint32_t flags_of(const struct xdp_quarantine *quarantine, const struct address *address)
{
	for (size_t i = 0; i < quarantine->investigators_count; i++) {
		if (prefix_contains(&quarantine->investigators[i], address))
			return ABI_INVESTIGATOR_TRAFFIC | ABI_INVESTIGATOR_NEIGHBOUR;
	}
	return ABI_INVESTIGATOR_NEIGHBOUR;
}

static int collect(const struct xdp_quarantine *quarantine, struct investigator **investigators)
{
	static const struct prefix ipv4 = {{{[10] = 0xff, [11] = 0xff}}, 96};
	int r = put(investigators, &ipv4, 0);

	for (size_t i = 0; i < quarantine->investigators_count && r == 0; i++)
		r = put(investigators, &quarantine->investigators[i], ABI_INVESTIGATOR_TRAFFIC);
	for (size_t i = 0; i < quarantine->neighbours_count && r == 0; i++) {
		const struct prefix prefix = {quarantine->neighbours[i], 128};

		r = put(investigators, &prefix, flags_of(quarantine, &prefix.address));
	}
	return r;
}

/* Those that are no longer wanted go first, so that no mixture lets pass what neither set would;
 * except that ::ffff:0:0/96 stays throughout. */
static int remove_former(int map, struct investigator *const *wanted)
{
	struct abi_prefix_key key, *former = NULL;

	while (bpf_map_get_next_key(map, former, &key) == 0) {
		struct abi_prefix_key next = key;
		struct investigator *item;

		HASH_FIND(hh, *wanted, &key, sizeof(key), item);
		if (item) {
			former = &key;
			continue;
		}
		if (bpf_map_delete_elem(map, &next) < 0 && errno != ENOENT)
			return -errno;
		former = NULL; /* begin anew: the trie has changed under the key */
	}
	return 0;
}

int xdp_investigators_write(
	struct xdp *xdp, const struct xdp_quarantine *quarantine, struct error *error)
{
	__attribute__((cleanup(investigators_clear))) struct investigator *wanted = NULL;
	const int map = xdp->objects.investigators;
	int r = collect(quarantine, &wanted);

	if (r < 0)
		return error_nomem(error);
	if (HASH_COUNT(wanted) > ABI_MAX_INVESTIGATORS)
		return error_set(error, -E2BIG,
			"%u investigators and neighbours for quarantine, at most %u fit",
			HASH_COUNT(wanted), ABI_MAX_INVESTIGATORS);
	r = remove_former(map, &wanted);
	for (const struct investigator *item = wanted; item && r == 0; item = item->hh.next)
		r = bpf_map_update_elem(map, &item->key, &item->flags, BPF_ANY);
	return r < 0 ? error_errno(error, r, "write to table investigators") : 0;
}
