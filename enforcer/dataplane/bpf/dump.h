/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The maps as people read them: one file for each kind. Functions are pages, as dataplane_ops.dump.
 */
#pragma once

#include "dataplane/bpf/batch.h"
#include "dataplane/bpf/plane.h"
#include "dataplane/dump.h"

/* One page of a map, whose keys and values are then in walk. *ret_more: there is another one behind
 * cursor. */
int dump_read(struct walk *walk, struct dump_cursor *cursor, uint32_t *ret_count, bool *ret_more);

/* {"number": n, "policies": "shop/db+2"|null} by the number of a peer table; null: no policy binds
 * it there. New reference. */
struct dump_names {
	const struct ir *ir;
	const uint32_t *peer_tables; /* by number: index in the IR, or IR_PEER_TABLE_NONE */
};
int dump_names_new(const struct dataplane *dataplane, const struct ir *ir, struct dump_names *ret);
void dump_names_clear(struct dump_names *names);
json_t *dump_peer_table(const struct dump_names *names, uint32_t number);
/* What is in a class, for people; NULL: nobody knows. */
const char *dump_class_name(const struct ir *ir, uint32_t class);

int dump_endpoints(
	struct dataplane *dataplane, const struct dump *dump, struct dump_cursor *cursor);
int dump_addresses(
	struct dataplane *dataplane, const struct dump *dump, struct dump_cursor *cursor);
int dump_prefixes(struct dataplane *dataplane, const struct dump *dump, struct dump_cursor *cursor);
int dump_fragments(
	struct dataplane *dataplane, const struct dump *dump, struct dump_cursor *cursor);
int dump_peers(struct dataplane *dataplane, const struct dump *dump, struct dump_cursor *cursor);
int dump_ports(struct dataplane *dataplane, const struct dump *dump, struct dump_cursor *cursor);
int dump_connections(
	struct dataplane *dataplane, const struct dump *dump, struct dump_cursor *cursor);
int dump_denials(struct dataplane *dataplane, const struct dump *dump, struct dump_cursor *cursor);

#define _cleanup_names_ __attribute__((cleanup(dump_names_clear)))

/* dataplane_ops.dump */
int bpf_dataplane_dump(struct dataplane *dataplane, const struct dump *dump,
	struct dump_cursor *cursor, struct error *error);
