/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/tables.h"

#include "base/cleanup.h"
#include "dataplane/bpf/batch.h"
#include "dataplane/bpf/port_prefixes.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(ABI_DECISION_LOG == DECISION_LOG && ABI_DECISION_REJECT == DECISION_REJECT &&
		       ABI_DECISION_AUDIT == DECISION_AUDIT,
	"decision flags are passed on as they are");

static const uint8_t protocol_numbers[ABI_PROTOCOLS] = {
	[ABI_TCP] = IPPROTO_TCP,
	[ABI_UDP] = IPPROTO_UDP,
	[ABI_SCTP] = IPPROTO_SCTP,
	[ABI_ICMP] = IPPROTO_ICMP,
	[ABI_ICMPV6] = IPPROTO_ICMPV6,
};

void tables_init(struct tables *tables)
{
	*tables = (struct tables){
		.ports.numbers = NUMBERS_INIT(0, ABI_MAX_PORT_TABLES),
		.peers.numbers = NUMBERS_INIT(ABI_NO_PEER_TABLE + 1, ABI_MAX_PEER_TABLES),
	};
}

void tables_clear(struct tables *tables)
{
	pool_clear(&tables->ports);
	pool_clear(&tables->peers);
}

static struct abi_decision to_abi(const struct decision *decision)
{
	return (struct abi_decision){
		.rule = decision->rule,
		.verdict = decision->verdict == VERDICT_ALLOW ? ABI_ALLOW : ABI_DENY,
		.flags = (uint8_t)decision->flags,
	};
}

/* In the IR a decision names its rule by index, in the kernel by id. */
static struct decision with_rule_id(const struct ir *ir, const struct decision *decision)
{
	struct decision result = *decision;

	result.rule = ir->rules[decision->rule].id;
	return result;
}

static int append_prefixes(struct port_content **content, size_t *count, unsigned int protocol,
	const struct port_prefix *prefixes, size_t prefixes_count)
{
	struct port_content *larger;

	larger = realloc(
		*content, sizeof(*larger) + (*count + prefixes_count) * sizeof(larger->entries[0]));
	if (!larger)
		return -ENOMEM;
	*content = larger;
	for (size_t i = 0; i < prefixes_count; i++) {
		larger->entries[(*count)++] = (struct port_entry){
			.port = prefixes[i].port,
			.protocol = (uint8_t)protocol,
			.length = prefixes[i].length,
			.decision = to_abi(&prefixes[i].decision),
		};
		larger->table.lengths[protocol] |= 1u << prefixes[i].length;
	}
	return 0;
}

static int compile_protocol(const struct ir *ir, const struct ir_port_table *table,
	unsigned int protocol, struct port_content **content, size_t *count)
{
	_cleanup_free_ struct ir_port_range *ranges = NULL;
	_cleanup_free_ struct port_prefix *prefixes = NULL;
	struct decision otherwise = with_rule_id(ir, &table->otherwise);
	size_t prefixes_count, ranges_count = 0;
	int r;

	ranges = calloc(table->ranges_count + 1, sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	for (size_t i = 0; i < table->ranges_count; i++) {
		if (table->ranges[i].protocol != protocol_numbers[protocol])
			continue;
		ranges[ranges_count] = table->ranges[i];
		ranges[ranges_count].decision = with_rule_id(ir, &table->ranges[i].decision);
		ranges_count++;
	}
	r = port_prefixes_compile(ranges, ranges_count, &otherwise, &prefixes, &prefixes_count);
	if (r < 0)
		return r;
	return append_prefixes(content, count, protocol, prefixes, prefixes_count);
}

static int intern_port_table(struct tables *tables, const struct ir *ir,
	const struct ir_port_table *table, uint32_t *ret, struct error *error)
{
	_cleanup_free_ struct port_content *content = calloc(1, sizeof(*content));
	struct decision otherwise = with_rule_id(ir, &table->otherwise);
	struct pool_item *item;
	size_t count = 0;
	int r;

	if (!content)
		return error_nomem(error);
	content->table.otherwise = to_abi(&otherwise);
	for (unsigned int protocol = 0; protocol < ABI_PROTOCOLS; protocol++) {
		r = compile_protocol(ir, table, protocol, &content, &count);
		if (r < 0)
			return error_nomem(error);
	}
	r = pool_intern(&tables->ports, content,
		sizeof(*content) + count * sizeof(content->entries[0]), &item);
	if (r == -E2BIG)
		return error_set(error, r,
			"table port_tables is full: the old and the new policies need more than %u "
			"different port tables",
			ABI_MAX_PORT_TABLES);
	if (r < 0)
		return error_nomem(error);
	*ret = item->number;
	return 0;
}

static int intern_peer_table(struct tables *tables, const struct ir_peer_table *table,
	const uint32_t *port_numbers, uint32_t *ret, struct error *error)
{
	_cleanup_free_ struct peer_content *content = NULL;
	struct pool_item *item;
	size_t count = 0;
	int r;

	content = calloc(1, sizeof(*content) + table->peers_count * sizeof(content->entries[0]));
	if (!content)
		return error_nomem(error);
	content->otherwise = port_numbers[table->otherwise];
	for (size_t i = 0; i < table->peers_count; i++) {
		uint32_t number = port_numbers[table->peers[i].port_table];

		if (number != content->otherwise)
			content->entries[count++] =
				(struct peer_entry){table->peers[i].class, number};
	}
	r = pool_intern(&tables->peers, content,
		sizeof(*content) + count * sizeof(content->entries[0]), &item);
	if (r == -E2BIG)
		return error_set(error, r,
			"table peer_tables is full: the old and the new policies need more than %u "
			"different peer tables",
			ABI_MAX_PEER_TABLES - 1);
	if (r < 0)
		return error_nomem(error);
	*ret = item->number;
	return 0;
}

int tables_number(
	struct tables *tables, const struct ir *ir, uint32_t **ret_peer_tables, struct error *error)
{
	_cleanup_free_ uint32_t *port_numbers = NULL, *peer_numbers = NULL;
	int r;

	port_numbers = calloc(ir->port_tables_count + 1, sizeof(*port_numbers));
	peer_numbers = calloc(ir->peer_tables_count + 1, sizeof(*peer_numbers));
	if (!port_numbers || !peer_numbers)
		return error_nomem(error);
	for (size_t i = 0; i < ir->port_tables_count; i++) {
		r = intern_port_table(tables, ir, &ir->port_tables[i], &port_numbers[i], error);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < ir->peer_tables_count; i++) {
		r = intern_peer_table(
			tables, &ir->peer_tables[i], port_numbers, &peer_numbers[i], error);
		if (r < 0)
			return r;
	}
	*ret_peer_tables = TAKE_PTR(peer_numbers);
	return 0;
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
	keep(&tables->ports, objects, USE_RUNNING, delete_ports);
	keep(&tables->peers, objects, USE_RUNNING, delete_peers);
}

void tables_commit(struct tables *tables, const struct objects *objects)
{
	keep(&tables->ports, objects, USE_NEXT, delete_ports);
	keep(&tables->peers, objects, USE_NEXT, delete_peers);
}
