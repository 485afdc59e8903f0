/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a list of rules says about each port: the ports are cut into cells at every bound that a
 * rule names, then the rules paint in their order of precedence what is not painted yet. A pointer
 * past painted cells keeps this nearly linear (union-find with path halving).
 */
#include "policies/ir_compile.h"

#include "base/cleanup.h"
#include "policies/array.h"
#include "policies/share.h"

#include <errno.h>

#define IR_PORT_TABLES_MAX 65535
#define PROTOCOL_OTHER     UINT16_MAX /* behind all real ones */

struct span {
	uint16_t protocol;
	uint16_t first;
	uint16_t last;
};

struct cell {
	struct span span;
	struct decision enforced; /* by policies that are enforced */
	struct decision audited;  /* by those and the ones in audit mode */
};

struct painter {
	struct compile *compile;
	const struct rule_list *list;
	const uint64_t *matched;
	const uint64_t *names;
	struct cell *cells; /* by protocol, first; the last one is every other protocol */
	size_t cells_count;
	size_t *next; /* the first unpainted cell from here */
	bool *decided;
	bool audit; /* paint the audited decisions */
};

/* Calls visit for each range of ports that the rule speaks of. */
static int visit_spans(const struct painter *painter, const struct compiled_rule *rule,
	int (*visit)(const struct span *span, void *userdata), void *userdata)
{
	const struct compile *compile = painter->compile;
	int r = 0;

	for (size_t i = 0; !r && i < rule->source->ports_count; i++) {
		const struct policy_port *port = &rule->source->ports[i];
		struct span span = {port->protocol, port->first, port->last};
		const struct port_name *name;

		if (!port->name) {
			r = visit(&span, userdata);
			continue;
		}
		name = compile_port_name(compile, port->protocol, port->name);
		for (size_t k = 0; !r && name && k < name->numbers_count; k++) {
			if (!bitset_has(painter->names, name->numbers[k]))
				continue;
			span.first = span.last = compile->named_ports[name->numbers[k]].port;
			r = visit(&span, userdata);
		}
	}
	return r;
}

static int add_cell(struct painter *painter, uint16_t protocol, uint32_t first)
{
	struct cell *slot;

	/* Behind the last port nothing begins. */
	if (first > UINT16_MAX)
		return 0;
	slot = array_append(painter->cells, painter->cells_count);
	if (!slot)
		return -ENOMEM;
	slot->span = (struct span){protocol, (uint16_t)first, UINT16_MAX};
	return 0;
}

static int cut(const struct span *span, void *userdata)
{
	struct painter *painter = userdata;

	if (add_cell(painter, span->protocol, 0) < 0 ||
		add_cell(painter, span->protocol, span->first) < 0)
		return -ENOMEM;
	return add_cell(painter, span->protocol, span->last + 1u);
}

static int compare_cells(const void *a, const void *b)
{
	const struct span *first = &((const struct cell *)a)->span;
	const struct span *second = &((const struct cell *)b)->span;

	return first->protocol != second->protocol ? first->protocol - second->protocol
						   : first->first - second->first;
}

static int cut_cells(struct painter *painter)
{
	size_t kept = 0;

	for (size_t i = 0; i < painter->list->rules_count; i++)
		if (bitset_has(painter->matched, i) &&
			visit_spans(painter, painter->list->rules[i], cut, painter) < 0)
			return -ENOMEM;
	if (add_cell(painter, PROTOCOL_OTHER, 0) < 0)
		return -ENOMEM;
	qsort(painter->cells, painter->cells_count, sizeof(*painter->cells), compare_cells);
	for (size_t i = 0; i < painter->cells_count; i++) {
		struct span *span = &painter->cells[i].span;
		struct span *before = kept ? &painter->cells[kept - 1].span : NULL;

		if (before && before->protocol == span->protocol && before->first == span->first)
			continue;
		if (before && before->protocol == span->protocol)
			before->last = span->first - 1;
		painter->cells[kept++].span = *span;
	}
	painter->cells_count = kept;
	painter->next = calloc(kept + 1, sizeof(*painter->next));
	painter->decided = calloc(kept, sizeof(*painter->decided));
	return painter->next && painter->decided ? 0 : -ENOMEM;
}

static size_t unpainted(struct painter *painter, size_t cell)
{
	size_t *next = painter->next;

	while (next[cell] != cell) {
		next[cell] = next[next[cell]];
		cell = next[cell];
	}
	return cell;
}

static void begin_tier(struct painter *painter)
{
	for (size_t i = 0; i < painter->cells_count; i++)
		painter->next[i] = painter->decided[i] ? i + 1 : i;
	painter->next[painter->cells_count] = painter->cells_count;
}

/* Paints first..last with decision; without one the cells are passed on to the next tier. */
static void paint(
	struct painter *painter, size_t first, size_t last, const struct decision *decision)
{
	for (size_t i = unpainted(painter, first); i <= last; i = unpainted(painter, i)) {
		painter->next[i] = i + 1;
		painter->decided[i] = decision;
		if (decision && painter->audit)
			painter->cells[i].audited = *decision;
		else if (decision)
			painter->cells[i].enforced = *decision;
	}
}

/* The first cell at or behind a port; port may be one past the last. */
static size_t find_cell(const struct painter *painter, uint16_t protocol, uint32_t port)
{
	size_t low = 0, high = painter->cells_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct span *span = &painter->cells[middle].span;

		if (span->protocol < protocol || (span->protocol == protocol && span->first < port))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct brush {
	struct painter *painter;
	const struct decision *decision;
};

static int paint_span(const struct span *span, void *userdata)
{
	const struct brush *brush = userdata;
	const struct painter *painter = brush->painter;
	size_t first = find_cell(painter, span->protocol, span->first);
	size_t last = find_cell(painter, span->protocol, span->last + 1u) - 1;

	paint(brush->painter, first, last, brush->decision);
	return 0;
}

static struct decision rule_decision(const struct compiled_rule *rule)
{
	bool denies = rule->source->action == POLICY_DENY;
	unsigned int flags = rule->source->log ? DECISION_LOG : 0;

	if (denies && rule->source->reject)
		flags |= DECISION_REJECT;
	return (struct decision){denies ? VERDICT_DENY : VERDICT_ALLOW, flags, rule->number};
}

static void paint_rule(struct painter *painter, const struct compiled_rule *rule)
{
	struct decision decision = rule_decision(rule);
	struct brush brush = {painter, rule->source->action == POLICY_PASS ? NULL : &decision};

	if (rule->policy->policy->audit && !painter->audit)
		return;
	if (rule->source->ports_count)
		visit_spans(painter, rule, paint_span, &brush);
	else
		paint(painter, 0, painter->cells_count - 1, brush.decision);
}

/* Isolation: what no rule allowed is refused in the name of the first policy that isolates. */
static void paint_isolation(struct painter *painter)
{
	const struct rule_list *list = painter->list;
	struct decision refusal = {.verdict = VERDICT_DENY};
	bool isolated = false;

	for (size_t i = 0; i < list->policies_count; i++) {
		const struct compiled_policy *compiled = list->policies[i];

		if (!compiled->policy->isolates[list->direction] ||
			(compiled->policy->audit && !painter->audit))
			continue;
		if (!isolated)
			refusal.rule = compiled->isolation[list->direction];
		if (compiled->policy->reject[list->direction])
			refusal.flags |= DECISION_REJECT;
		isolated = true;
	}
	if (isolated)
		paint(painter, 0, painter->cells_count - 1, &refusal);
}

static void paint_default(struct painter *painter)
{
	enum posture posture =
		painter->list->host ? POSTURE_ALLOW : painter->compile->options->posture;
	bool denies = posture == POSTURE_DENY || (posture == POSTURE_AUDIT && painter->audit);
	const struct decision decision = {
		denies ? VERDICT_DENY : VERDICT_ALLOW, 0, IR_RULE_DEFAULT};

	begin_tier(painter);
	paint(painter, 0, painter->cells_count - 1, &decision);
}

static void paint_all(struct painter *painter, bool audit)
{
	static const enum tier tiers[] = {
		TIER_QUARANTINE, TIER_ADMIN, TIER_APPLICATION, TIER_BASELINE};
	const struct rule_list *list = painter->list;
	size_t next = 0;

	painter->audit = audit;
	memset(painter->decided, 0, painter->cells_count * sizeof(*painter->decided));
	for (size_t i = 0; i < ARRAY_SIZE(tiers); i++) {
		begin_tier(painter);
		for (; next < list->rules_count &&
			list->rules[next]->policy->policy->tier == tiers[i];
			next++)
			if (bitset_has(painter->matched, next))
				paint_rule(painter, list->rules[next]);
		if (tiers[i] == TIER_APPLICATION)
			paint_isolation(painter);
	}
	paint_default(painter);
}

/* The enforced verdict holds; where the audited one would have refused, that is told. */
static struct decision merge(const struct cell *cell)
{
	struct decision decision = cell->enforced;

	if (cell->enforced.verdict == VERDICT_DENY || cell->audited.verdict == VERDICT_ALLOW)
		return decision;
	decision.flags =
		DECISION_AUDIT | ((cell->enforced.flags | cell->audited.flags) & DECISION_LOG);
	decision.rule = cell->audited.rule;
	return decision;
}

static bool equal(const struct decision *a, const struct decision *b)
{
	return a->verdict == b->verdict && a->flags == b->flags && a->rule == b->rule;
}

static int add_range(
	struct ir_port_table *table, const struct span *span, const struct decision *decision)
{
	struct ir_port_range *before =
		table->ranges_count ? &table->ranges[table->ranges_count - 1] : NULL;
	struct ir_port_range *slot;

	if (before && before->protocol == span->protocol && before->last + 1 == span->first &&
		equal(&before->decision, decision)) {
		before->last = span->last;
		return 0;
	}
	slot = array_append(table->ranges, table->ranges_count);
	if (!slot)
		return -ENOMEM;
	*slot = (struct ir_port_range){(uint8_t)span->protocol, span->first, span->last, *decision};
	return 0;
}

static void decision_key(const struct decision *decision, uint32_t key[static 2])
{
	key[0] = decision->flags << 1 | (decision->verdict == VERDICT_DENY);
	key[1] = decision->rule;
}

/* Copies table if it is new. */
static int intern_table(struct compile *compile, const struct ir_port_table *table, uint32_t *ret)
{
	size_t words = 4 * (table->ranges_count + 1);
	_cleanup_free_ uint32_t *key = calloc(words, sizeof(*key));
	struct ir *ir = compile->ir;
	struct ir_port_table *slot;
	int r;

	if (!key)
		return -ENOMEM;
	for (size_t i = 0; i < table->ranges_count; i++) {
		const struct ir_port_range *range = &table->ranges[i];

		key[4 * i] = range->protocol;
		key[4 * i + 1] = (uint32_t)range->first << 16 | range->last;
		decision_key(&range->decision, &key[4 * i + 2]);
	}
	decision_key(&table->otherwise, &key[words - 2]);
	r = intern(&compile->port_table_keys, key, words * sizeof(*key), ret);
	if (r <= 0)
		return r;
	if (ir->port_tables_count == IR_PORT_TABLES_MAX)
		return -E2BIG;
	slot = array_append(ir->port_tables, ir->port_tables_count);
	if (!slot)
		return -ENOMEM;
	*slot = *table;
	slot->ranges = share_copy(table->ranges, table->ranges_count * sizeof(*table->ranges));
	return slot->ranges ? 0 : -ENOMEM;
}

static void port_table_clear(struct ir_port_table *table)
{
	free(table->ranges);
}

int compile_flat_port_table(struct compile *compile, struct decision decision, uint32_t *ret)
{
	const struct ir_port_table table = {.otherwise = decision};

	return intern_table(compile, &table, ret);
}

static void painter_clear(struct painter *painter)
{
	free(painter->cells);
	free(painter->next);
	free(painter->decided);
}

int compile_port_table(struct compile *compile, const struct rule_list *list,
	const uint64_t *matched, const uint64_t *names, uint32_t *ret)
{
	_cleanup_(painter_clear) struct painter painter = {
		.compile = compile, .list = list, .matched = matched, .names = names};
	_cleanup_(port_table_clear) struct ir_port_table table = {0};

	if (cut_cells(&painter) < 0)
		return -ENOMEM;
	paint_all(&painter, false);
	paint_all(&painter, true);
	table.otherwise = merge(&painter.cells[painter.cells_count - 1]);
	for (size_t i = 0; i + 1 < painter.cells_count; i++) {
		struct decision decision = merge(&painter.cells[i]);

		if (!equal(&decision, &table.otherwise) &&
			add_range(&table, &painter.cells[i].span, &decision) < 0)
			return -ENOMEM;
	}
	return intern_table(compile, &table, ret);
}
