/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/evaluate.h"

#include <stdlib.h>

static const struct decision no_subject = {VERDICT_ALLOW, 0, IR_RULE_DEFAULT};

static int compare_address(const void *key, const void *item)
{
	return address_compare(key, &((const struct ir_address *)item)->address);
}

static const struct ir_address *find_address(const struct ir *ir, const struct address *address)
{
	if (!ir->addresses_count)
		return NULL;
	return bsearch(address, ir->addresses, ir->addresses_count, sizeof(*ir->addresses),
		compare_address);
}

/* The number of prefixes that are not behind key in their order. */
static size_t count_up_to(const struct ir *ir, const struct prefix *key)
{
	size_t low = 0, high = ir->prefixes_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (prefix_compare(&ir->prefixes[middle].prefix, key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static uint8_t common_bits(const struct address *a, const struct address *b)
{
	for (unsigned int i = 0; i < sizeof(a->bytes); i++) {
		unsigned int difference = a->bytes[i] ^ b->bytes[i];

		if (difference)
			return (uint8_t)(8 * i + (unsigned int)__builtin_clz(difference) - 24);
	}
	return 128;
}

static struct prefix around(const struct address *address, uint8_t length)
{
	struct prefix prefix = {*address, length};

	for (unsigned int i = 0; i < sizeof(address->bytes); i++) {
		unsigned int kept = length > 8 * i ? length - 8 * i : 0;

		prefix.address.bytes[i] &= kept < 8 ? (uint8_t)(0xff00 >> kept) : 0xff;
	}
	return prefix;
}

/* Prefixes that hold the address are nested, so the last of them in their order is the longest. A
 * prefix before the address that does not hold it still says something: what holds it is around
 * both, so it is no longer than what both have in common. */
static uint32_t class_of_prefix(const struct ir *ir, const struct address *address)
{
	struct prefix key = {*address, 128};
	size_t count;

	while ((count = count_up_to(ir, &key))) {
		const struct ir_prefix *last = &ir->prefixes[count - 1];
		uint8_t common = common_bits(&last->prefix.address, address);

		if (prefix_contains(&last->prefix, address))
			return last->class;
		/* The other family's root is around everything and holds nothing of this one. */
		if (common >= key.length)
			return 0;
		key = around(address, common);
	}
	return 0;
}

uint32_t evaluate_class(const struct ir *ir, const struct address *address)
{
	const struct ir_address *known = find_address(ir, address);

	return known ? known->class : class_of_prefix(ir, address);
}

struct decision evaluate_port_table(
	const struct ir_port_table *table, uint8_t protocol, uint16_t port)
{
	size_t low = 0, high = table->ranges_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct ir_port_range *range = &table->ranges[middle];

		if (range->protocol < protocol ||
			(range->protocol == protocol && range->last < port))
			low = middle + 1;
		else
			high = middle;
	}
	if (low < table->ranges_count && table->ranges[low].protocol == protocol &&
		table->ranges[low].first <= port)
		return table->ranges[low].decision;
	return table->otherwise;
}

static int compare_class(const void *key, const void *item)
{
	uint32_t wanted = *(const uint32_t *)key, there = ((const struct ir_peer *)item)->class;

	return (wanted > there) - (wanted < there);
}

static struct decision evaluate_direction(const struct ir *ir, const struct ir_address *subject,
	enum direction direction, const struct address *peer, const struct flow_query *query)
{
	const struct ir_peer_table *table;
	const struct ir_peer *entry = NULL;
	uint32_t number, class;

	if (!subject)
		return no_subject;
	number = subject->workload < 0 ? ir->host.peer_table[direction]
				       : ir->subjects[subject->workload].peer_table[direction];
	if (number == IR_PEER_TABLE_NONE)
		return no_subject;
	table = &ir->peer_tables[number];
	class = evaluate_class(ir, peer);
	if (table->peers_count)
		entry = bsearch(&class, table->peers, table->peers_count, sizeof(*table->peers),
			compare_class);
	return evaluate_port_table(&ir->port_tables[entry ? entry->port_table : table->otherwise],
		query->protocol, query->port);
}

struct evaluation evaluate(const struct ir *ir, const struct flow_query *query)
{
	const struct ir_address *source = find_address(ir, &query->source);
	const struct ir_address *destination = find_address(ir, &query->destination);
	const struct decision self = {VERDICT_ALLOW, 0, IR_RULE_SELF};
	struct evaluation result = {.verdict = VERDICT_ALLOW, .direction = DIRECTION_EGRESS};

	/* So does the node, all of whose addresses are -1: that was never anybody's rule. */
	if (source && destination && source->workload == destination->workload) {
		result.egress = result.ingress = source->workload < 0 ? no_subject : self;
		return result;
	}
	result.egress =
		evaluate_direction(ir, source, DIRECTION_EGRESS, &query->destination, query);
	result.ingress =
		evaluate_direction(ir, destination, DIRECTION_INGRESS, &query->source, query);
	if (result.egress.verdict == VERDICT_DENY || result.ingress.verdict == VERDICT_DENY)
		result.verdict = VERDICT_DENY;
	if (result.verdict == VERDICT_DENY ? result.egress.verdict == VERDICT_ALLOW
					   : !(result.egress.flags & DECISION_AUDIT) &&
						     result.ingress.flags & DECISION_AUDIT)
		result.direction = DIRECTION_INGRESS;
	return result;
}
