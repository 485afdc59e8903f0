/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/dump.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int dump_read(struct walk *walk, struct dump_cursor *cursor, uint32_t *ret_count, bool *ret_more)
{
	int r;

	_Static_assert(sizeof(cursor->token) == sizeof(walk->token), "one is copied to the other");
	walk->chunk = DUMP_PAGE_ENTRIES;
	walk->started = cursor->started;
	memcpy(walk->token, cursor->token, sizeof(walk->token));
	r = walk_next(walk, ret_count);
	if (r < 0)
		return r;
	cursor->started = walk->started;
	memcpy(cursor->token, walk->token, sizeof(cursor->token));
	*ret_more = walk->started;
	return 0;
}

int dump_names_new(const struct dataplane *dataplane, const struct ir *ir, struct dump_names *ret)
{
	const struct known_tables *known = &dataplane->generations.tables.known_peers;
	uint32_t *peer_tables = malloc(ABI_MAX_PEER_TABLES * sizeof(*peer_tables));

	if (!peer_tables)
		return -ENOMEM;
	memset(peer_tables, 0xff, ABI_MAX_PEER_TABLES * sizeof(*peer_tables));
	for (uint32_t i = 0; ir && i < known->count && i < ir->peer_tables_count; i++)
		if (known->items[i].item)
			peer_tables[known->items[i].item->number] = i;
	*ret = (struct dump_names){ir, peer_tables};
	return 0;
}

void dump_names_clear(struct dump_names *names)
{
	free((void *)names->peer_tables);
}

json_t *dump_peer_table(const struct dump_names *names, uint32_t number)
{
	uint32_t index =
		number < ABI_MAX_PEER_TABLES ? names->peer_tables[number] : IR_PEER_TABLE_NONE;

	if (number == ABI_NO_PEER_TABLE)
		return json_null();
	return json_pack("{s:I, s:s?}", "number", (json_int_t)number, "policies",
		index == IR_PEER_TABLE_NONE ? NULL : names->ir->peer_tables[index].name);
}

const char *dump_class_name(const struct ir *ir, uint32_t class)
{
	return ir && ir->class_names && class < ir->classes_count ? ir->class_names[class] : NULL;
}

int bpf_dataplane_dump(struct dataplane *dataplane, const struct dump *dump,
	struct dump_cursor *cursor, struct error *error)
{
	static int (*const pages[DATAPLANE_TABLES_COUNT])(struct dataplane * dataplane,
		const struct dump *dump, struct dump_cursor *cursor) = {
		[DATAPLANE_ENDPOINTS] = dump_endpoints,
		[DATAPLANE_ADDRESSES] = dump_addresses,
		[DATAPLANE_PREFIXES] = dump_prefixes,
		[DATAPLANE_PEERS] = dump_peers,
		[DATAPLANE_PORTS] = dump_ports,
		[DATAPLANE_CONNECTIONS] = dump_connections,
		[DATAPLANE_DENIALS] = dump_denials,
		[DATAPLANE_FRAGMENTS] = dump_fragments,
	};
	int r;

	if (!pages[dump->table])
		return error_set(error, -EOPNOTSUPP,
			"the ebpf data plane has endpoints, addresses, prefixes, peers, ports, "
			"connections, denials and fragments, and no table of this name");
	r = pages[dump->table](dataplane, dump, cursor);
	return r < 0 ? error_errno(error, r, "read a table of the data plane") : r;
}
