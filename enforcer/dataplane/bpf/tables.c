/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/tables.h"

#include "base/cleanup.h"
#include "dataplane/bpf/batch.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void tables_init(struct tables *tables)
{
	*tables = (struct tables){
		.ports.numbers = NUMBERS_INIT(0, ABI_MAX_PORT_TABLES),
		.peers.numbers = NUMBERS_INIT(ABI_NO_PEER_TABLE + 1, ABI_MAX_PEER_TABLES),
	};
}

void tables_clear(struct tables *tables)
{
	tables_forget_known(tables);
	pool_clear(&tables->ports);
	pool_clear(&tables->peers);
}

static int write_port_entries(
	const struct tables *tables, const struct objects *objects, struct error *error)
{
	_cleanup_batch_ struct batch ports = {objects->maps.ports, "ports",
		sizeof(struct abi_port_key), sizeof(struct abi_decision), 0, NULL, NULL};
	_cleanup_batch_ struct batch port_tables = {objects->maps.port_tables, "port_tables",
		sizeof(uint32_t), sizeof(struct abi_port_table), 0, NULL, NULL};
	int r;

	for (const struct pool_item *item = tables->ports.items; item; item = item->hh.next) {
		const struct port_content *content = (const void *)item->content;

		if (!pool_item_is_new(item))
			continue;
		for (size_t i = 0; i < port_content_count(item); i++) {
			const struct port_entry *entry = &content->entries[i];
			const struct abi_port_key key = {
				item->number, entry->port, entry->protocol, entry->length};

			r = batch_put(&ports, &key, &entry->decision, error);
			if (r < 0)
				return r;
		}
		r = batch_put(&port_tables, &item->number, &content->table, error);
		if (r < 0)
			return r;
	}
	r = batch_flush(&ports, error);
	return r < 0 ? r : batch_flush(&port_tables, error);
}

static int write_peer_entries(
	const struct tables *tables, const struct objects *objects, struct error *error)
{
	_cleanup_batch_ struct batch peers = {objects->maps.peers, "peers",
		sizeof(struct abi_peer_key), sizeof(uint32_t), 0, NULL, NULL};
	_cleanup_batch_ struct batch peer_tables = {objects->maps.peer_tables, "peer_tables",
		sizeof(uint32_t), sizeof(uint32_t), 0, NULL, NULL};
	int r;

	for (const struct pool_item *item = tables->peers.items; item; item = item->hh.next) {
		const struct peer_content *content = (const void *)item->content;

		if (!pool_item_is_new(item))
			continue;
		for (size_t i = 0; i < peer_content_count(item); i++) {
			const struct abi_peer_key key = {item->number, content->entries[i].class};

			r = batch_put(&peers, &key, &content->entries[i].port_table, error);
			if (r < 0)
				return r;
		}
		r = batch_put(&peer_tables, &item->number, &content->otherwise, error);
		if (r < 0)
			return r;
	}
	r = batch_flush(&peers, error);
	return r < 0 ? r : batch_flush(&peer_tables, error);
}

int tables_write(const struct tables *tables, const struct objects *objects, struct error *error)
{
	int r = write_port_entries(tables, objects, error);

	return r < 0 ? r : write_peer_entries(tables, objects, error);
}

/* Entries that were not written yet are not there: all the better. */
static void delete_ports(const struct pool_item *item, const struct objects *objects)
{
	const struct port_content *content = (const void *)item->content;

	for (size_t i = 0; i < port_content_count(item); i++) {
		const struct port_entry *entry = &content->entries[i];
		const struct abi_port_key key = {
			item->number, entry->port, entry->protocol, entry->length};

		bpf_map_delete_elem(objects->maps.ports, &key);
	}
}

static void delete_peers(const struct pool_item *item, const struct objects *objects)
{
	const struct peer_content *content = (const void *)item->content;

	for (size_t i = 0; i < peer_content_count(item); i++) {
		const struct abi_peer_key key = {item->number, content->entries[i].class};

		bpf_map_delete_elem(objects->maps.peers, &key);
	}
}

static void keep(struct pool *pool, const struct objects *objects, unsigned int use,
	void (*delete)(const struct pool_item *item, const struct objects *objects))
{
	struct pool_item *item, *next;

	HASH_ITER (hh, pool->items, item, next) {
		if (item->use & use) {
			item->use = USE_RUNNING;
			continue;
		}
		delete (item, objects);
		pool_remove(pool, item);
	}
}

void tables_roll_back(struct tables *tables, const struct objects *objects)
{
	/* Some of them are about to go. */
	tables_forget_known(tables);
	keep(&tables->ports, objects, USE_RUNNING, delete_ports);
	keep(&tables->peers, objects, USE_RUNNING, delete_peers);
}

void tables_commit(struct tables *tables, const struct objects *objects)
{
	keep(&tables->ports, objects, USE_NEXT, delete_ports);
	keep(&tables->peers, objects, USE_NEXT, delete_peers);
}
