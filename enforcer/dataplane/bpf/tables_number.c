/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which numbers the tables of an IR have in the kernel. Only those that a subject leads to count,
 * and those that the last IR had, too, are known by their memory: so a change costs what it
 * touches.
 */
#include "dataplane/bpf/tables.h"

#include "base/cleanup.h"
#include "dataplane/bpf/port_prefixes.h"
#include "policies/share.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(ABI_RULE_FIXED == IR_RULE_FIRST, "ids of rules that no document wrote");
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

/* What numbering one IR needs. */
struct numbering {
	struct tables *tables;
	const struct ir *ir;
	struct known_tables ports;
	struct known_tables peers;
};

static void known_clear(struct known_tables *known)
{
	for (size_t i = 0; i < known->count; i++)
		share_release(known->items[i].block);
	free(known->items);
	*known = (struct known_tables){0};
}

static void numbering_clear(struct numbering *numbering)
{
	known_clear(&numbering->ports);
	known_clear(&numbering->peers);
}

void tables_forget_known(struct tables *tables)
{
	known_clear(&tables->known_ports);
	known_clear(&tables->known_peers);
}

static int known_new(struct known_tables *known, size_t count)
{
	known->items = calloc(count + 1, sizeof(*known->items));
	if (!known->items)
		return -ENOMEM;
	known->count = count;
	return 0;
}

/* The item of a table that the last IR had under the same number. */
static struct pool_item *find_known(
	const struct known_tables *known, size_t index, const void *block)
{
	if (index >= known->count || known->items[index].block != block)
		return NULL;
	return block ? known->items[index].item : NULL;
}

/* Only what a compiler made and shares is there for us to refer to. */
static void remember(struct numbering *numbering, struct known_tables *known, size_t index,
	const void *block, struct pool_item *item)
{
	known->items[index].item = item;
	if (numbering->ir->shared)
		known->items[index].block = share_reference(block);
	item->use |= USE_NEXT;
}

static int intern_port_table(struct tables *tables, const struct ir *ir,
	const struct ir_port_table *table, struct pool_item **ret, struct error *error)
{
	_cleanup_free_ struct port_content *content = calloc(1, sizeof(*content));
	struct decision otherwise = with_rule_id(ir, &table->otherwise);
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
		sizeof(*content) + count * sizeof(content->entries[0]), ret);
	if (r == -E2BIG)
		return error_set(error, r,
			"table port_tables is full: the old and the new policies need more than %u "
			"different port tables",
			ABI_MAX_PORT_TABLES);
	return r < 0 ? error_nomem(error) : 0;
}

static int number_port_table(
	struct numbering *numbering, uint32_t index, uint32_t *ret, struct error *error)
{
	const struct ir_port_table *table = &numbering->ir->port_tables[index];
	struct pool_item *item = numbering->ports.items[index].item;
	int r;

	if (!item) {
		item = find_known(&numbering->tables->known_ports, index, table->ranges);
		if (!item) {
			r = intern_port_table(
				numbering->tables, numbering->ir, table, &item, error);
			if (r < 0)
				return r;
		}
		remember(numbering, &numbering->ports, index, table->ranges, item);
	}
	if (ret)
		*ret = item->number;
	return 0;
}

static int intern_peer_table(struct numbering *numbering, const struct ir_peer_table *table,
	struct pool_item **ret, struct error *error)
{
	_cleanup_free_ struct peer_content *content = NULL;
	size_t count = 0;
	int r;

	content = calloc(1, sizeof(*content) + table->peers_count * sizeof(content->entries[0]));
	if (!content)
		return error_nomem(error);
	r = number_port_table(numbering, table->otherwise, &content->otherwise, error);
	for (size_t i = 0; !r && i < table->peers_count; i++) {
		uint32_t number;

		r = number_port_table(numbering, table->peers[i].port_table, &number, error);
		if (!r && number != content->otherwise)
			content->entries[count++] =
				(struct peer_entry){table->peers[i].class, number};
	}
	if (r < 0)
		return r;
	r = pool_intern(&numbering->tables->peers, content,
		sizeof(*content) + count * sizeof(content->entries[0]), ret);
	if (r == -E2BIG)
		return error_set(error, r,
			"table peer_tables is full: the old and the new policies need more than %u "
			"different peer tables",
			ABI_MAX_PEER_TABLES - 1);
	return r < 0 ? error_nomem(error) : 0;
}

/* Its port tables are needed as before. */
static int keep_peer_table(
	struct numbering *numbering, const struct ir_peer_table *table, struct error *error)
{
	int r = number_port_table(numbering, table->otherwise, NULL, error);

	for (size_t i = 0; !r && i < table->peers_count; i++)
		r = number_port_table(numbering, table->peers[i].port_table, NULL, error);
	return r;
}

static int number_peer_table(struct numbering *numbering, uint32_t index, struct error *error)
{
	const struct ir_peer_table *table = &numbering->ir->peer_tables[index];
	struct pool_item *item;
	int r;

	if (numbering->peers.items[index].item)
		return 0;
	item = find_known(&numbering->tables->known_peers, index, table->peers);
	r = item ? keep_peer_table(numbering, table, error)
		 : intern_peer_table(numbering, table, &item, error);
	if (r < 0)
		return r;
	remember(numbering, &numbering->peers, index, table->peers, item);
	return 0;
}

static int number_subjects(struct numbering *numbering, struct error *error)
{
	const struct ir *ir = numbering->ir;

	for (size_t i = 0; i < ir->subjects_count; i++)
		for (unsigned int direction = 0; direction < ABI_DIRECTIONS; direction++) {
			uint32_t table = ir->subjects[i].peer_table[direction];
			int r = table == IR_PEER_TABLE_NONE
					? 0
					: number_peer_table(numbering, table, error);

			if (r < 0)
				return r;
		}
	return 0;
}

int tables_number(
	struct tables *tables, const struct ir *ir, uint32_t **ret_peer_tables, struct error *error)
{
	_cleanup_(numbering_clear) struct numbering numbering = {.tables = tables, .ir = ir};
	_cleanup_free_ uint32_t *numbers = calloc(ir->peer_tables_count + 1, sizeof(*numbers));
	int r;

	if (!numbers || known_new(&numbering.ports, ir->port_tables_count) < 0 ||
		known_new(&numbering.peers, ir->peer_tables_count) < 0)
		return error_nomem(error);
	r = number_subjects(&numbering, error);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ir->peer_tables_count; i++)
		if (numbering.peers.items[i].item)
			numbers[i] = numbering.peers.items[i].item->number;
	tables_forget_known(tables);
	tables->known_ports = numbering.ports;
	tables->known_peers = numbering.peers;
	numbering.ports = numbering.peers = (struct known_tables){0};
	*ret_peer_tables = TAKE_PTR(numbers);
	return 0;
}
