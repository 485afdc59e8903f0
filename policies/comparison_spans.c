/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/comparison_steps.h"

#include "base/cleanup.h"
#include "policies/array.h"
#include "policies/evaluate.h"

#include <errno.h>
#include <netinet/in.h>

static const uint8_t protocols[] = {IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMPV6,
	IPPROTO_SCTP, COMPARISON_PROTOCOL_OTHER};

/* The port tables that decide a connection: of the source's egress and the destination's ingress,
 * on each side. */
struct meeting {
	uint32_t port_table[SIDES][DIRECTION_COUNT];
};

static const struct decision no_subject = {VERDICT_ALLOW, 0, IR_RULE_DEFAULT};

static uint32_t find_port_table(const struct ir *ir, uint32_t peer_table, uint32_t class)
{
	const struct ir_peer_table *table;
	size_t low = 0, high;

	if (peer_table == IR_PEER_TABLE_NONE)
		return PARTY_HAS_NO_TABLE;
	table = &ir->peer_tables[peer_table];
	high = table->peers_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (table->peers[middle].class < class)
			low = middle + 1;
		else
			high = middle;
	}
	return low < table->peers_count && table->peers[low].class == class ? table->peers[low]
										      .port_table
									    : table->otherwise;
}

/* The decision about a port, and in *last the last port behind it for which it is the same: not
 * beyond what *last was. */
static struct decision look_up(
	const struct ir *ir, uint32_t number, uint8_t protocol, uint16_t port, uint16_t *last)
{
	const struct ir_port_table *table;
	size_t low = 0, high;
	uint16_t end = UINT16_MAX;
	struct decision decision;

	if (number == PARTY_HAS_NO_TABLE)
		return no_subject;
	table = &ir->port_tables[number];
	decision = table->otherwise;
	high = table->ranges_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct ir_port_range *range = &table->ranges[middle];

		if (range->protocol < protocol ||
			(range->protocol == protocol && range->last < port))
			low = middle + 1;
		else
			high = middle;
	}
	if (low < table->ranges_count && table->ranges[low].protocol == protocol) {
		const struct ir_port_range *range = &table->ranges[low];

		if (range->first <= port)
			decision = range->decision;
		end = range->first <= port ? range->last : (uint16_t)(range->first - 1);
	}
	if (end < *last)
		*last = end;
	return decision;
}

/* Of one side's two decisions; what refuses decides, egress first. */
static enum outcome combine(
	const struct decision decisions[DIRECTION_COUNT], enum direction *ret_direction)
{
	const struct decision *egress = &decisions[DIRECTION_EGRESS];
	const struct decision *ingress = &decisions[DIRECTION_INGRESS];

	*ret_direction = DIRECTION_EGRESS;
	if (egress->verdict == VERDICT_DENY)
		return OUTCOME_REFUSED;
	if (ingress->verdict == VERDICT_DENY) {
		*ret_direction = DIRECTION_INGRESS;
		return OUTCOME_REFUSED;
	}
	if (egress->flags & DECISION_AUDIT)
		return OUTCOME_AUDITED;
	*ret_direction = DIRECTION_INGRESS;
	return ingress->flags & DECISION_AUDIT ? OUTCOME_AUDITED : OUTCOME_ALLOWED;
}

/* Joins what lies side by side and says the same. */
static int add_span(struct spans *spans, const struct span *span)
{
	struct span *last = spans->count ? &spans->items[spans->count - 1] : NULL;

	if (last && last->range.protocol == span->range.protocol &&
		last->range.last + 1 == span->range.first && last->before == span->before &&
		last->after == span->after && last->rule == span->rule) {
		last->range.last = span->range.last;
		return 0;
	}
	last = array_append(spans->items, spans->count);
	if (!last)
		return -ENOMEM;
	*last = *span;
	return 0;
}

static int compare_protocol(const struct compare *compare, const struct meeting *meeting,
	uint8_t protocol, struct spans *spans)
{
	for (unsigned int port = 0; port <= UINT16_MAX;) {
		struct span span = {.range = {protocol, 0, (uint16_t)port, UINT16_MAX}};
		struct decision decisions[SIDES][DIRECTION_COUNT];
		enum direction direction[SIDES];

		for (int side = 0; side < SIDES; side++)
			for (int d = 0; d < DIRECTION_COUNT; d++)
				decisions[side][d] =
					look_up(compare->ir[side], meeting->port_table[side][d],
						protocol, span.range.first, &span.range.last);
		span.before = combine(decisions[BEFORE], &direction[BEFORE]);
		span.after = combine(decisions[AFTER], &direction[AFTER]);
		/* An allowance is the work of the direction that refused before. */
		if (span.after == OUTCOME_ALLOWED)
			direction[AFTER] = direction[BEFORE];
		span.rule = decisions[AFTER][direction[AFTER]].rule;
		if (span.before != span.after && add_span(spans, &span) < 0)
			return -ENOMEM;
		port = span.range.last + 1u;
	}
	return 0;
}

static int compare_meeting(
	const struct compare *compare, const struct meeting *meeting, struct spans *ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(protocols); i++)
		r = compare_protocol(compare, meeting, protocols[i], ret);
	return r;
}

int compare_classes(struct compare *compare, const struct party *from,
	const struct party_class *source, const struct party *to,
	const struct party_class *destination, const struct spans **ret)
{
	struct meeting meeting;
	uint32_t number;
	int r;

	for (int side = 0; side < SIDES; side++) {
		meeting.port_table[side][DIRECTION_EGRESS] = find_port_table(compare->ir[side],
			from->peer_table[side][DIRECTION_EGRESS], destination->class[side]);
		meeting.port_table[side][DIRECTION_INGRESS] = find_port_table(compare->ir[side],
			to->peer_table[side][DIRECTION_INGRESS], source->class[side]);
	}
	r = intern(&compare->meetings, &meeting, sizeof(meeting), &number);
	if (r < 0)
		return r;
	if (r > 0 &&
		(!array_append(compare->meeting_spans, compare->meeting_spans_count) ||
			compare_meeting(compare, &meeting, &compare->meeting_spans[number]) < 0))
		return -ENOMEM;
	*ret = &compare->meeting_spans[number];
	return 0;
}
