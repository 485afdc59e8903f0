/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/former_connections.h"

#include "base/cleanup.h"
#include "dataplane/bpf/batch.h"
#include "dataplane/bpf/former_record.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

static const struct record_field key_fields[] = {
	RECORD_FIELD(abi_connection_key, address),
	RECORD_FIELD(abi_connection_key, port_be),
	RECORD_FIELD(abi_connection_key, protocol),
};

/* Not the generation: it was another agent's. */
static const struct record_field value_fields[] = {
	RECORD_FIELD(abi_connection, packets),
	RECORD_FIELD(abi_connection, bytes),
	RECORD_FIELD(abi_connection, start_ns),
	RECORD_FIELD(abi_connection, last_ns),
	RECORD_FIELD(abi_connection, ifindex),
	RECORD_FIELD(abi_connection, mac),
	RECORD_FIELD(abi_connection, tcp_flags),
	RECORD_FIELD(abi_connection, originator),
	RECORD_FIELD(abi_connection, flags),
	RECORD_FIELD(abi_connection, type_code),
	RECORD_FIELD_OPTIONAL(abi_connection, rule),
	RECORD_FIELD_OPTIONAL(abi_connection, id),
	RECORD_FIELD_OPTIONAL(abi_connection, owner),
	RECORD_FIELD_OPTIONAL(abi_connection, round_trip_us),
	RECORD_FIELD_OPTIONAL(abi_connection, retransmissions),
};

DEFINE_CLEANUP(struct btf *, btf__free)

static int match(const struct bpf_map_info *info, struct former_record *ret_key,
	struct former_record *ret_value)
{
	_cleanup_(btf__freep) struct btf *btf = btf__load_from_kernel_by_id(info->btf_id);
	int r;

	if (!btf)
		return -errno;
	r = former_record_match(
		btf, info->btf_key_type_id, key_fields, ARRAY_SIZE(key_fields), ret_key);
	return r < 0 ? r
		     : former_record_match(btf, info->btf_value_type_id, value_fields,
			       ARRAY_SIZE(value_fields), ret_value);
}

static uint32_t owner_of(const struct abi_connection *connection)
{
	if (connection->owner)
		return connection->owner;
	return connection->ifindex[ABI_ORIGINATOR] ? connection->ifindex[ABI_ORIGINATOR]
						   : connection->ifindex[ABI_RESPONDER];
}

/* Its share counts it even where that is used up: nothing that stands is cut for it. */
static void enter(struct objects *objects, const struct abi_connection_key *key,
	const struct abi_connection *connection, struct former_connections *totals)
{
	struct abi_share *share = objects_share(objects, connection->owner);
	int r;

	__atomic_fetch_add(&share->connections, 1, __ATOMIC_RELAXED);
	r = bpf_map_update_elem(objects->maps.connections, key, connection, BPF_NOEXIST);
	if (r < 0)
		__atomic_fetch_sub(&share->connections, 1, __ATOMIC_RELAXED);
	totals->taken += r == 0;
	totals->left += r < 0 && r != -EEXIST;
}

static void take_chunk(struct objects *objects, const struct walk *walk, uint32_t count,
	const struct former_record *key_record, const struct former_record *value_record,
	struct former_connections *totals)
{
	for (uint32_t i = 0; i < count; i++) {
		struct abi_connection_key key = {0};
		struct abi_connection connection = {0};

		former_record_read(key_record, walk->keys + i * walk->key_size, &key);
		former_record_read(value_record, walk->values + i * walk->value_size, &connection);
		connection.owner = owner_of(&connection);
		enter(objects, &key, &connection, totals);
	}
}

static void take_from(struct objects *objects, int map, const struct bpf_map_info *info,
	struct former_connections *totals)
{
	_cleanup_walk_ struct walk walk = {
		.map = map, .key_size = info->key_size, .value_size = info->value_size};
	struct former_record key, value;
	bool readable = match(info, &key, &value) == 0;
	uint32_t count;

	while (walk_next(&walk, &count) == 0 && count) {
		if (readable)
			take_chunk(objects, &walk, count, &key, &value, totals);
		else
			totals->left += count;
	}
}

struct visit {
	struct objects *objects;
	const struct pins *pins;
	struct former_connections *totals;
};

/* A set of maps that no program ever used is empty, and does no harm. */
static int visit_maps(const char *part, void *userdata, struct error *error)
{
	const struct visit *visit = userdata;
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);
	_cleanup_close_ int map = -1;
	char path[PATH_MAX];

	(void)error;
	if (!objects_is_part(part) || strcmp(part, visit->objects->part) == 0)
		return 0;
	map = bpf_obj_get(pins_path(visit->pins, part, "connections", path));
	if (map >= 0 && bpf_obj_get_info_by_fd(map, &info, &size) == 0)
		take_from(visit->objects, map, &info, visit->totals);
	return 0;
}

void former_connections_take(
	struct objects *objects, const struct pins *pins, struct former_connections *totals)
{
	struct visit visit = {objects, pins, totals};

	pins_list(pins, NULL, visit_maps, &visit, NULL);
}
