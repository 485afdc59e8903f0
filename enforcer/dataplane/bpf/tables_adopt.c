/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables as an earlier agent left them in the kernel, put back into the pools. */
#include "dataplane/bpf/tables.h"

#include "base/cleanup.h"
#include "dataplane/bpf/batch.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One entry of peers or ports with its key in a form that sorts by table. */
struct row {
	uint32_t table;
	union {
		struct peer_entry peer;
		struct port_entry port;
	};
};

struct rows {
	struct row *items;
	size_t count, capacity;
};

static void rows_clear(struct rows *rows)
{
	free(rows->items);
}

static int rows_add(struct rows *rows, const struct row *row)
{
	if (rows->count == rows->capacity) {
		size_t capacity = rows->capacity ? rows->capacity * 2 : 1024;
		struct row *larger = reallocarray(rows->items, capacity, sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		rows->items = larger;
		rows->capacity = capacity;
	}
	rows->items[rows->count++] = *row;
	return 0;
}

static int compare_peers(const void *a, const void *b)
{
	const struct row *first = a, *second = b;

	if (first->table != second->table)
		return first->table < second->table ? -1 : 1;
	return first->peer.class < second->peer.class ? -1 : first->peer.class > second->peer.class;
}

static int compare_ports(const void *a, const void *b)
{
	const struct row *first = a, *second = b;

	if (first->table != second->table)
		return first->table < second->table ? -1 : 1;
	if (first->port.protocol != second->port.protocol)
		return (int)first->port.protocol - (int)second->port.protocol;
	if (first->port.port != second->port.port)
		return (int)first->port.port - (int)second->port.port;
	return (int)first->port.length - (int)second->port.length;
}

static struct row peer_row(const void *key, const void *value)
{
	const struct abi_peer_key *peer = key;
	struct row row = {.table = peer->peer_table};

	row.peer.class = peer->class;
	memcpy(&row.peer.port_table, value, sizeof(row.peer.port_table));
	return row;
}

static struct row port_row(const void *key, const void *value)
{
	const struct abi_port_key *port = key;
	struct row row = {.table = port->port_table};

	row.port.port = port->port;
	row.port.protocol = port->protocol;
	row.port.length = port->length;
	memcpy(&row.port.decision, value, sizeof(row.port.decision));
	return row;
}

/* One of the two maps: how its entries become rows and what a table's content begins with. */
struct source {
	int entries; /* map */
	int heads;   /* map: array by table */
	size_t key_size, value_size;
	uint32_t tables;              /* bound of their numbers */
	size_t head_size, entry_size; /* in a content */
	struct row (*row)(const void *key, const void *value);
	int (*compare)(const void *a, const void *b);
};

/* Rows of live tables, sorted; all others are deleted. Deleting behind the walk is no harm: a hash
 * is walked by buckets. */
static int read_rows(const struct source *source, const bool *live, struct rows *rows)
{
	_cleanup_walk_ struct walk walk = {
		.map = source->entries,
		.key_size = source->key_size,
		.value_size = source->value_size,
	};
	uint32_t count;
	int r;

	do {
		r = walk_next(&walk, &count);
		if (r < 0)
			return r;
		for (uint32_t i = 0; i < count; i++) {
			const void *key = walk.keys + i * source->key_size;
			struct row row = source->row(key, walk.values + i * source->value_size);

			if (row.table < source->tables && live[row.table])
				r = rows_add(rows, &row);
			else
				bpf_map_delete_elem(source->entries, key);
			if (r < 0)
				return r;
		}
	} while (count);
	if (rows->count)
		qsort(rows->items, rows->count, sizeof(*rows->items), source->compare);
	return 0;
}

static int adopt_table(const struct source *source, struct pool *pool, uint32_t number,
	const struct row *rows, size_t count)
{
	_cleanup_free_ unsigned char *content = NULL;
	size_t size = source->head_size + count * source->entry_size;
	int r;

	content = calloc(1, size);
	if (!content)
		return -ENOMEM;
	r = bpf_map_lookup_elem(source->heads, &number, content);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		memcpy(content + source->head_size + i * source->entry_size, &rows[i].peer,
			source->entry_size);
	return pool_adopt(pool, number, content, size);
}

static int adopt_pool(const struct source *source, struct pool *pool, const bool *live)
{
	_cleanup_(rows_clear) struct rows rows = {0};
	_cleanup_free_ uint32_t *numbers = NULL;
	size_t count = 0, next = 0;
	int r;

	numbers = calloc(source->tables, sizeof(*numbers));
	if (!numbers)
		return -ENOMEM;
	r = read_rows(source, live, &rows);
	if (r < 0)
		/* cppcheck-suppress memleak ; it does not see the cleanup attribute here */
		return r;
	for (uint32_t number = 0; number < source->tables; number++) {
		size_t first = next;

		if (!live[number])
			continue;
		while (next < rows.count && rows.items[next].table == number)
			next++;
		r = adopt_table(source, pool, number, rows.items + first, next - first);
		if (r < 0)
			return r;
		numbers[count++] = number;
	}
	return numbers_adopt(&pool->numbers, numbers, count);
}

/* Which port tables the adopted peer tables lead to. */
static int mark_port_tables(const struct pool *peers, bool *live)
{
	for (const struct pool_item *item = peers->items; item; item = item->hh.next) {
		const struct peer_content *content = (const void *)item->content;

		if (content->otherwise >= ABI_MAX_PORT_TABLES)
			return -EINVAL;
		live[content->otherwise] = true;
		for (size_t i = 0; i < peer_content_count(item); i++) {
			if (content->entries[i].port_table >= ABI_MAX_PORT_TABLES)
				return -EINVAL;
			live[content->entries[i].port_table] = true;
		}
	}
	return 0;
}

int tables_adopt(
	struct tables *tables, const struct objects *objects, const bool *live, struct error *error)
{
	const struct source peers = {objects->maps.peers, objects->maps.peer_tables,
		sizeof(struct abi_peer_key), sizeof(uint32_t), ABI_MAX_PEER_TABLES,
		sizeof(struct peer_content), sizeof(struct peer_entry), peer_row, compare_peers};
	const struct source ports = {objects->maps.ports, objects->maps.port_tables,
		sizeof(struct abi_port_key), sizeof(struct abi_decision), ABI_MAX_PORT_TABLES,
		sizeof(struct port_content), sizeof(struct port_entry), port_row, compare_ports};
	_cleanup_free_ bool *live_ports = NULL;
	int r;

	live_ports = calloc(ABI_MAX_PORT_TABLES, sizeof(*live_ports));
	if (!live_ports)
		return error_nomem(error);
	r = adopt_pool(&peers, &tables->peers, live);
	if (r < 0)
		/* cppcheck-suppress memleak ; it does not see the cleanup attribute here */
		return error_errno(error, r, "read the pinned peer tables");
	r = mark_port_tables(&tables->peers, live_ports);
	if (r < 0)
		return error_set(error, r, "the pinned peer tables are damaged");
	r = adopt_pool(&ports, &tables->ports, live_ports);
	if (r < 0)
		return error_errno(error, r, "read the pinned port tables");
	return 0;
}
