/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection needs both ends: rules that open one while policies keep the other shut. */
#include "policies/lint_checks.h"

#include "policies/evaluate.h"

#include <stdlib.h>
#include <string.h>

/* Beyond this many pairs of workloads an item is taken to be in order: a linter shall answer. */
#define PAIRS_MAX 20000

/* One peer of one rule, and the direction that is asked: that of the other end. */
struct other_end {
	const struct lint_run *run;
	enum direction direction;
	const struct policy_rule *rule;
	const struct model_workload *subject;
	const struct model_workload *peer;
};

static int compare_class(const void *key, const void *item)
{
	uint32_t wanted = *(const uint32_t *)key, there = ((const struct ir_peer *)item)->class;

	return (wanted > there) - (wanted < there);
}

/* What a workload's policies say about an address; NULL: nothing here is enforced on it. */
static const struct ir_port_table *find_ports(const struct lint_input *input,
	const struct model_workload *workload, enum direction direction,
	const struct address *address)
{
	const struct ir *ir = input->ir;
	size_t index = (size_t)(workload - input->model->workloads);
	uint32_t number = ir->subjects[index].peer_table[direction];
	uint32_t class = evaluate_class(ir, address);
	const struct ir_peer_table *table;
	const struct ir_peer *entry = NULL;

	if (number == IR_PEER_TABLE_NONE)
		return NULL;
	table = &ir->peer_tables[number];
	if (table->peers_count)
		entry = bsearch(&class, table->peers, table->peers_count, sizeof(*table->peers),
			compare_class);
	return &ir->port_tables[entry ? entry->port_table : table->otherwise];
}

/* At least one port of first..last. */
static bool allows_some(
	const struct ir_port_table *table, uint8_t protocol, uint32_t first, uint32_t last)
{
	bool otherwise = table->otherwise.verdict == VERDICT_ALLOW;

	for (size_t i = 0; i < table->ranges_count && first <= last; i++) {
		const struct ir_port_range *range = &table->ranges[i];

		if (range->protocol != protocol || range->last < first)
			continue;
		if (range->first > last)
			break;
		if (range->decision.verdict == VERDICT_ALLOW || (otherwise && range->first > first))
			return true;
		first = range->last + 1u;
	}
	return otherwise && first <= last;
}

static bool allows_anything(const struct ir_port_table *table)
{
	bool allows = table->otherwise.verdict == VERDICT_ALLOW;

	for (size_t i = 0; i < table->ranges_count; i++)
		allows |= table->ranges[i].decision.verdict == VERDICT_ALLOW;
	return allows;
}

/* Names are looked up there. */
static const struct model_workload *destination_of(const struct other_end *end)
{
	return end->direction == DIRECTION_EGRESS ? end->subject : end->peer;
}

/* Ports that the destination has no name for open nothing that could be shut. */
static bool speaks_of_something(const struct other_end *end)
{
	const struct model_workload *destination = destination_of(end);

	for (size_t i = 0; i < end->rule->ports_count; i++) {
		const struct policy_port *port = &end->rule->ports[i];

		if (!port->name)
			return true;
		for (size_t k = 0; k < destination->ports_count; k++)
			if (destination->ports[k].protocol == port->protocol &&
				!strcmp(destination->ports[k].name, port->name))
				return true;
	}
	return !end->rule->ports_count;
}

static bool allows_name(const struct other_end *end, const struct ir_port_table *table,
	const struct policy_port *port)
{
	const struct model_workload *destination = destination_of(end);

	for (size_t i = 0; i < destination->ports_count; i++) {
		const struct model_port *there = &destination->ports[i];

		if (there->protocol == port->protocol && !strcmp(there->name, port->name) &&
			allows_some(table, port->protocol, there->port, there->port))
			return true;
	}
	return false;
}

static bool allows_rule(const struct other_end *end, const struct ir_port_table *table)
{
	const struct policy_rule *rule = end->rule;

	for (size_t i = 0; i < rule->ports_count; i++) {
		const struct policy_port *port = &rule->ports[i];

		if (port->name ? allows_name(end, table, port)
			       : allows_some(table, port->protocol, port->first, port->last))
			return true;
	}
	return !rule->ports_count && allows_anything(table);
}

/* In one of the address families that both have. *ret_tried: there is one. */
static bool pair_allows(const struct other_end *end, bool *ret_tried)
{
	const struct lint_input *input = end->run->input;

	if (!speaks_of_something(end))
		return false;
	for (size_t i = 0; i < end->subject->addresses_count; i++) {
		const struct address *address = &end->subject->addresses[i];
		const struct ir_port_table *table;
		bool common = false;

		for (size_t k = 0; k < end->peer->addresses_count && !common; k++)
			common = address_is_ipv4(&end->peer->addresses[k]) ==
				 address_is_ipv4(address);
		if (!common)
			continue;
		*ret_tried = true;
		table = find_ports(input, end->peer, end->direction, address);
		if (!table || allows_rule(end, table))
			return true;
	}
	return false;
}

/* Not a single pair of a subject and a workload of the peer gets through the other end. */
static bool is_shut(struct other_end *end, const struct policy_workloads *workloads)
{
	const struct lint_run *run = end->run;
	const struct model *model = run->input->model;
	size_t pairs = 0;
	bool tried = false;

	for (size_t i = 0; i < model->workloads_count; i++) {
		end->subject = &model->workloads[i];
		if (!lint_takes(model, &run->document->policy->subject, end->subject))
			continue;
		for (size_t k = 0; k < model->workloads_count; k++) {
			end->peer = &model->workloads[k];
			if (i == k || !lint_takes(model, workloads, end->peer))
				continue;
			if (++pairs > PAIRS_MAX || pair_allows(end, &tried))
				return false;
		}
	}
	return tried;
}

void lint_other_end(struct lint_run *run, enum direction direction, const struct policy_rule *rule)
{
	bool ingress = direction == DIRECTION_INGRESS;
	struct other_end end = {.run = run,
		.direction = ingress ? DIRECTION_EGRESS : DIRECTION_INGRESS,
		.rule = rule};

	for (size_t i = 0; !run->document->policy->host && i < rule->peers_count; i++) {
		const struct policy_peer *peer = &rule->peers[i];

		if (peer->kind == PEER_WORKLOADS && is_shut(&end, &peer->workloads))
			lint_warn(run, ingress ? "egress-forbids" : "ingress-forbids", peer->place,
				"%s policies of these workloads forbid all that this %s rule "
				"allows: a connection needs both ends",
				direction_name(end.direction), direction_name(direction));
	}
}
