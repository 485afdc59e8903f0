/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/ir.h"

#include "policies/ir_ranks.h"
#include "policies/model.h"
#include "policies/ports.h"

#include <errno.h>

#define RULE_TEXT_MAX 512

static void dump_rules(const struct ir *ir, const struct ir_ranks *ranks, FILE *stream)
{
	char text[RULE_TEXT_MAX];

	fprintf(stream, "rules\n");
	for (uint32_t i = 0; i < ranks->rules.count; i++) {
		const struct ir_rule *rule = &ir->rules[ranks->rules.numbers[i]];

		fprintf(stream, "  %u: %08x %s %s%s: %s\n", i, rule->id, tier_name(rule->tier),
			verdict_name(rule->verdict), rule->audit ? " audit" : "",
			ir_rule_format(rule, text, sizeof(text)));
	}
}

static void dump_classes(const struct ir *ir, const struct ir_ranks *ranks, FILE *stream)
{
	fprintf(stream, "classes\n");
	for (uint32_t i = 0; i < ranks->classes.count; i++)
		fprintf(stream, "  %u: %s\n", i, ir->class_names[ranks->classes.numbers[i]]);
}

static void dump_prefixes(const struct ir *ir, const struct ir_ranks *ranks, FILE *stream)
{
	char text[PREFIX_TEXT_MAX];

	fprintf(stream, "prefixes\n");
	for (size_t i = 0; i < ir->prefixes_count; i++)
		fprintf(stream, "  %s class %u\n", prefix_format(&ir->prefixes[i].prefix, text),
			ranks->classes.ranks[ir->prefixes[i].class]);
}

static void dump_addresses(
	const struct ir *ir, const struct ir_ranks *ranks, const struct model *model, FILE *stream)
{
	char text[ADDRESS_TEXT_MAX];

	fprintf(stream, "addresses\n");
	for (size_t i = 0; i < ir->addresses_count; i++) {
		const struct ir_address *address = &ir->addresses[i];

		fprintf(stream, "  %s class %u ", address_format(&address->address, text),
			ranks->classes.ranks[address->class]);
		if (address->workload < 0)
			fprintf(stream, "host\n");
		else
			fprintf(stream, "%s/%s\n", model->workloads[address->workload].namespace,
				model->workloads[address->workload].name);
	}
}

static void dump_decision(
	const struct decision *decision, const struct ir_ranks *ranks, FILE *stream)
{
	fprintf(stream, "%s%s%s%s by %u\n", verdict_name(decision->verdict),
		decision->flags & DECISION_AUDIT ? " audit" : "",
		decision->flags & DECISION_LOG ? " log" : "",
		decision->flags & DECISION_REJECT ? " reject" : "",
		ranks->rules.ranks[decision->rule]);
}

static void dump_port_tables(const struct ir *ir, const struct ir_ranks *ranks, FILE *stream)
{
	fprintf(stream, "port tables\n");
	for (uint32_t i = 0; i < ranks->port_tables.count; i++) {
		const struct ir_port_table *table = &ir->port_tables[ranks->port_tables.numbers[i]];

		fprintf(stream, "  %u:\n", i);
		for (size_t k = 0; k < table->ranges_count; k++) {
			const struct ir_port_range *range = &table->ranges[k];

			fprintf(stream, "    %s/%u", protocol_name(range->protocol), range->first);
			if (range->last != range->first)
				fprintf(stream, "-%u", range->last);
			fputc(' ', stream);
			dump_decision(&range->decision, ranks, stream);
		}
		fprintf(stream, "    otherwise ");
		dump_decision(&table->otherwise, ranks, stream);
	}
}

static void dump_peers(const struct ir_peer_table *table, const struct ir_ranks *ranks,
	uint32_t otherwise, FILE *stream)
{
	for (uint32_t i = 0; i < ranks->classes.count; i++) {
		uint32_t number = ir_ranks_port_table(table, ranks->classes.numbers[i]);

		if (number != otherwise)
			fprintf(stream, "    class %u: ports %u\n", i,
				ranks->port_tables.ranks[number]);
	}
	fprintf(stream, "    otherwise: ports %u\n", ranks->port_tables.ranks[otherwise]);
}

static void dump_peer_tables(const struct ir *ir, const struct ir_ranks *ranks, FILE *stream)
{
	fprintf(stream, "peer tables\n");
	for (uint32_t i = 0; i < ranks->peer_tables.count; i++) {
		const struct ir_peer_table *table = &ir->peer_tables[ranks->peer_tables.numbers[i]];

		fprintf(stream, "  %u: %s %s\n", i, direction_name(table->direction), table->name);
		dump_peers(table, ranks, ranks->otherwise[i], stream);
	}
}

static void dump_subject(
	const struct ir_subject *subject, const struct ir_ranks *ranks, FILE *stream)
{
	for (int direction = 0; direction < DIRECTION_COUNT; direction++) {
		uint32_t table = subject->peer_table[direction];

		fprintf(stream, " %s ", direction_name((enum direction)direction));
		if (table == IR_PEER_TABLE_NONE)
			fputs("none", stream);
		else
			fprintf(stream, "%u", ranks->peer_tables.ranks[table]);
	}
	fputc('\n', stream);
}

static void dump_subjects(
	const struct ir *ir, const struct ir_ranks *ranks, const struct model *model, FILE *stream)
{
	fprintf(stream, "subjects\n");
	for (size_t i = 0; i < ir->subjects_count; i++) {
		const struct model_workload *workload = &model->workloads[i];

		fprintf(stream, "  %s/%s:", workload->namespace, workload->name);
		dump_subject(&ir->subjects[i], ranks, stream);
	}
	if (ir_subject_is_bound(&ir->host)) {
		fputs("  entity host:", stream);
		dump_subject(&ir->host, ranks, stream);
	}
}

int ir_dump(const struct ir *ir, const struct model *model, FILE *stream)
{
	__attribute__((cleanup(ir_ranks_clear))) struct ir_ranks ranks = {0};

	if (ir_ranks_new(ir, &ranks) < 0)
		return -ENOMEM;
	dump_rules(ir, &ranks, stream);
	dump_classes(ir, &ranks, stream);
	dump_prefixes(ir, &ranks, stream);
	dump_addresses(ir, &ranks, model, stream);
	dump_port_tables(ir, &ranks, stream);
	dump_peer_tables(ir, &ranks, stream);
	dump_subjects(ir, &ranks, model, stream);
	return 0;
}
