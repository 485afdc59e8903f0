/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Peer tables and port tables of the IR in the kernel's maps. New ones are written beside those
 * that the running generation uses and reads; equal ones are shared.
 */
#pragma once

#include "base/error.h"
#include "dataplane/bpf/objects.h"
#include "dataplane/bpf/pool.h"
#include "policies/ir.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* By index: what a table of the last IR became. Tables that IRs share are the same memory, which a
 * reference keeps from being used for another one. */
struct known_table {
	const void *block; /* NULL: not known */
	struct pool_item *item;
};

struct known_tables {
	struct known_table *items;
	size_t count;
};

struct tables {
	struct pool ports;
	struct pool peers;
	struct known_tables known_ports;
	struct known_tables known_peers;
};

/* What the pools hold as content: one table as the kernel sees it, but for its number. */
struct port_entry {
	uint16_t port;
	uint8_t protocol; /* enum abi_protocol_index */
	uint8_t length;
	struct abi_decision decision;
};

struct port_content {
	struct abi_port_table table;
	struct port_entry entries[]; /* by protocol, port, length */
};

struct peer_entry {
	uint32_t class;
	uint32_t port_table; /* number */
};

struct peer_content {
	uint32_t otherwise;
	struct peer_entry entries[]; /* by class; none that otherwise says, too */
};

static inline size_t port_content_count(const struct pool_item *item)
{
	return (item->size - sizeof(struct port_content)) / sizeof(struct port_entry);
}

static inline size_t peer_content_count(const struct pool_item *item)
{
	return (item->size - sizeof(struct peer_content)) / sizeof(struct peer_entry);
}

void tables_init(struct tables *tables);
void tables_clear(struct tables *tables);

/* Rebuilds from the maps what the running generation uses: live[number] says for each peer table
 * whether an identity leads to it. What else is in the maps was left by an agent that was killed,
 * and is deleted. */
int tables_adopt(struct tables *tables, const struct objects *objects, const bool *live,
	struct error *error);

/* Numbers the IR's tables for the next generation; (*ret_peer_tables)[i] is the number of the IR's
 * peer table i, ABI_NO_PEER_TABLE where no subject has it. Nothing is written. -E2BIG: a bound,
 * named in error. */
int tables_number(struct tables *tables, const struct ir *ir, uint32_t **ret_peer_tables,
	struct error *error);
/* Private to tables.c: the next IR will be numbered from the ground up. */
void tables_forget_known(struct tables *tables);
/* Writes those that are new. */
int tables_write(const struct tables *tables, const struct objects *objects, struct error *error);
/* The next generation will not be: deletes what only it would have used. */
void tables_roll_back(struct tables *tables, const struct objects *objects);
/* It runs, and no packet is judged by the former one any more: deletes what only that used. */
void tables_commit(struct tables *tables, const struct objects *objects);
