/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The data plane's part of status and doctor. */
#include "base/cleanup.h"
#include "dataplane/bpf/plane.h"

#include <errno.h>

static const char *const reason_names[REASON_COUNT] = {
#define X(symbol, name, sentence) [REASON_##symbol] = name,
	REASONS(X)
#undef X
};

static const char *const loss_names[ABI_LOSS_COUNT] = {
	[ABI_LOSS_EVENT] = "event",
	[ABI_LOSS_DENIAL_AGGREGATE] = "denial_aggregate",
	[ABI_LOSS_HIT] = "hit",
	[ABI_LOSS_ANSWER] = "answer",
	[ABI_LOSS_SAMPLE] = "sample",
};

static json_t *attached(const struct interfaces *interfaces, const struct objects *objects)
{
	json_t *array = json_array();

	for (const struct interface *interface = interfaces->items; interface;
		interface = interface->hh.next)
		json_array_append_new(array,
			json_pack("{s:s, s:I, s:s?, s:b, s:I}", "interface", interface->name,
				"ifindex", (json_int_t)interface->ifindex, "mechanism",
				interface->mechanism ? interface->mechanism->name : NULL, "guarded",
				!!(interface->endpoint.flags & ABI_ENDPOINT_GUARD), "connections",
				(json_int_t)objects_share(objects, interface->ifindex)
					->connections));
	return array;
}

/* Both hooks together; what never happened is left out. */
static json_t *counters(const struct objects *objects)
{
	json_t *object = json_object();

	for (uint32_t reason = 0; reason < REASON_COUNT; reason++) {
		struct abi_counter total = {0};

		for (uint32_t hook = 0; hook < ABI_DIRECTIONS; hook++) {
			uint64_t sums[2];

			if (per_cpu_sum(objects->maps.counters, reason * ABI_DIRECTIONS + hook,
				    ARRAY_SIZE(sums), sums) < 0)
				continue;
			total.packets += sums[0];
			total.bytes += sums[1];
		}
		if (total.packets)
			json_object_set_new(object, reason_names[reason],
				json_pack("{s:I, s:I}", "packets", (json_int_t)total.packets,
					"bytes", (json_int_t)total.bytes));
	}
	return object;
}

static json_t *losses(const struct objects *objects)
{
	json_t *object = json_object();

	for (uint32_t i = 0; i < ABI_LOSS_COUNT; i++) {
		uint64_t lost;

		if (per_cpu_sum(objects->maps.losses, i, 1, &lost) == 0)
			json_object_set_new(object, loss_names[i], json_integer((json_int_t)lost));
	}
	return object;
}

static size_t count(int map, size_t key_size, size_t value_size)
{
	size_t entries = 0;

	return walk_count(map, key_size, value_size, &entries) < 0 ? 0 : entries;
}

static json_t *usage(size_t used, size_t size)
{
	return json_pack("{s:I, s:I}", "used", (json_int_t)used, "size", (json_int_t)size);
}

static json_t *tables(const struct dataplane *dataplane, size_t connections)
{
	const struct identities *identities = &dataplane->generations.identities;
	const struct tables *tables = &dataplane->generations.tables;
	size_t peers = 0, ports = 0;

	for (const struct pool_item *item = tables->peers.items; item; item = item->hh.next)
		peers += peer_content_count(item);
	for (const struct pool_item *item = tables->ports.items; item; item = item->hh.next)
		ports += port_content_count(item);
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "connections",
		usage(connections, ABI_MAX_CONNECTIONS), "denials",
		usage(count(dataplane->objects.maps.denials, sizeof(struct abi_denial_key),
			      sizeof(struct abi_denial)),
			ABI_MAX_DENIALS),
		"endpoints", usage(HASH_COUNT(dataplane->interfaces.items), ABI_MAX_ENDPOINTS),
		"addresses", usage(identities->counts[IDENTITY_ADDRESS], ABI_MAX_ADDRESSES),
		"prefixes", usage(identities->counts[IDENTITY_PREFIX], ABI_MAX_PREFIXES),
		"peer_tables", usage(HASH_COUNT(tables->peers.items), ABI_MAX_PEER_TABLES - 1),
		"port_tables", usage(HASH_COUNT(tables->ports.items), ABI_MAX_PORT_TABLES), "peers",
		usage(peers, ABI_MAX_PEERS), "ports", usage(ports, ABI_MAX_PORTS));
}

static json_t *tcp_statistics(const struct tcp_sockets *sockets)
{
	return json_pack(
		"{s:b, s:s?}", "enabled", sockets->links[0] >= 0, "error", sockets->missing);
}

json_t *bpf_dataplane_describe(struct dataplane *dataplane)
{
	size_t connections = count(dataplane->objects.maps.connections,
		sizeof(struct abi_connection_key), sizeof(struct abi_connection));

	return json_pack("{s:I, s:I, s:{s:I, s:I}, s:o, s:o, s:o, s:o, s:o}", "generation",
		(json_int_t)objects_generation(&dataplane->objects), "connections",
		(json_int_t)connections, "former_connections", "taken",
		(json_int_t)dataplane->generations.former.taken, "left",
		(json_int_t)dataplane->generations.former.left, "attached",
		attached(&dataplane->interfaces, &dataplane->objects), "counters",
		counters(&dataplane->objects), "losses", losses(&dataplane->objects), "tables",
		tables(dataplane, connections), "tcp_statistics",
		tcp_statistics(&dataplane->tcp_sockets));
}
