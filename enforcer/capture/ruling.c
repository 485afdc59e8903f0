/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/ruling.h"

#include "policies/evaluate.h"
#include "xdp/client_port.h"

#include <netinet/tcp.h>
#include <string.h>

static const struct ir_address *find_address(const struct ir *ir, const struct address *address)
{
	size_t low = 0, high = ir->addresses_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = address_compare(&ir->addresses[middle].address, address);

		if (!order)
			return &ir->addresses[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool is_bound(const struct ir *ir, const struct address *address, enum direction direction)
{
	const struct ir_address *found = find_address(ir, address);

	if (!found)
		return false;
	return (found->workload < 0 ? ir->host : ir->subjects[found->workload])
		       .peer_table[direction] != IR_PEER_TABLE_NONE;
}

/* Where both directions have a say: the one that audits, else the one whose rule somebody wrote,
 * the originator's egress first (dataplane/bpf/flows.c). */
static enum direction deciding_direction(
	const struct evaluation *evaluation, const uint32_t rule[static DIRECTION_COUNT])
{
	uint32_t egress = rule[DIRECTION_EGRESS], ingress = rule[DIRECTION_INGRESS];

	if (evaluation->verdict == VERDICT_DENY)
		return evaluation->direction;
	if (!egress || !ingress)
		return egress ? DIRECTION_EGRESS : DIRECTION_INGRESS;
	if ((evaluation->egress.flags | evaluation->ingress.flags) & DECISION_AUDIT)
		return evaluation->direction;
	return ir_rule_id_is_written(egress) || !ir_rule_id_is_written(ingress) ? DIRECTION_EGRESS
										: DIRECTION_INGRESS;
}

struct ruling ruling_of(const struct ir *ir, const struct packet_ends *ends)
{
	struct flow_query query = {.protocol = ends->protocol, .port = packet_ends_port(ends)};
	struct ruling ruling = {0};
	struct evaluation evaluation;

	memcpy(query.source.bytes, ends->source, sizeof(ends->source));
	memcpy(query.destination.bytes, ends->destination, sizeof(ends->destination));
	evaluation = evaluate(ir, &query);
	ruling.allowed = evaluation.verdict == VERDICT_ALLOW;
	ruling.audited = (evaluation.egress.flags | evaluation.ingress.flags) & DECISION_AUDIT;
	if (is_bound(ir, &query.source, DIRECTION_EGRESS))
		ruling.rule[DIRECTION_EGRESS] = ir->rules[evaluation.egress.rule].id;
	if (is_bound(ir, &query.destination, DIRECTION_INGRESS))
		ruling.rule[DIRECTION_INGRESS] = ir->rules[evaluation.ingress.rule].id;
	ruling.direction = deciding_direction(&evaluation, ruling.rule);
	if (ruling.rule[ruling.direction])
		ruling.deciding =
			&ir->rules[ruling.direction == DIRECTION_EGRESS ? evaluation.egress.rule
									: evaluation.ingress.rule];
	return ruling;
}

static bool names_a_rule(const struct ruling *ruling)
{
	return ir_rule_id_is_written(ruling->rule[DIRECTION_EGRESS]) ||
	       ir_rule_id_is_written(ruling->rule[DIRECTION_INGRESS]);
}

struct ruling ruling_of_guess(
	const struct ir *ir, const struct packet_ends *sent, struct packet_ends *ret_ends)
{
	const struct packet_ends turned = packet_ends_turned(sent);
	enum client_end client = client_port_tell(sent->source_port, sent->destination_port);
	struct ruling as_sent, as_answer;

	*ret_ends = client == CLIENT_DESTINATION ? turned : *sent;
	if (client != CLIENT_UNKNOWN)
		return ruling_of(ir, ret_ends);
	as_sent = ruling_of(ir, sent);
	as_answer = ruling_of(ir, &turned);
	if (!as_sent.allowed && as_answer.allowed && names_a_rule(&as_answer)) {
		*ret_ends = turned;
		return as_answer;
	}
	if (as_sent.allowed && !as_answer.allowed && !names_a_rule(&as_sent)) {
		*ret_ends = turned;
		return as_answer;
	}
	return as_sent;
}

struct ruling ruling_in_mid_stream(
	const struct ir *ir, const struct capture_packet *packet, struct packet_ends *ret_ends)
{
	if (!(packet->tcp_flags & TH_SYN))
		return ruling_of_guess(ir, &packet->ends, ret_ends);
	*ret_ends = packet_ends_turned(&packet->ends);
	return ruling_of(ir, ret_ends);
}

bool ruling_concerns(const struct ir *ir, const struct packet_ends *ends)
{
	struct address source, destination;

	memcpy(source.bytes, ends->source, sizeof(source.bytes));
	memcpy(destination.bytes, ends->destination, sizeof(destination.bytes));
	return find_address(ir, &source) || find_address(ir, &destination);
}
