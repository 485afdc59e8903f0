/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/ir_ranks.h"

#include "base/cleanup.h"
#include "policies/precedence.h"

#include <errno.h>
#include <string.h>

static int ranking_new(size_t count, struct ranking *ret)
{
	ret->ranks = malloc((count + 1) * sizeof(uint32_t));
	ret->numbers = malloc((count + 1) * sizeof(uint32_t));
	if (!ret->ranks || !ret->numbers)
		return -ENOMEM;
	memset(ret->ranks, 0xff, (count + 1) * sizeof(uint32_t));
	return 0;
}

static void use(struct ranking *ranking, uint32_t number)
{
	if (ranking->ranks[number] != RANK_NONE)
		return;
	ranking->ranks[number] = ranking->count;
	ranking->numbers[ranking->count++] = number;
}

/* Prefixes and the addresses inside them, one family after the other. */
static void rank_family(const struct ir *ir, bool ipv4, struct ranking *classes)
{
	size_t p = 0, a = 0;

	while (p < ir->prefixes_count || a < ir->addresses_count) {
		const struct ir_prefix *prefix = &ir->prefixes[p];
		const struct ir_address *address = &ir->addresses[a];

		if (a == ir->addresses_count ||
			(p < ir->prefixes_count &&
				address_compare(&prefix->prefix.address, &address->address) <= 0)) {
			if (prefix_is_ipv4(&prefix->prefix) == ipv4)
				use(classes, prefix->class);
			p++;
		} else {
			if (address_is_ipv4(&address->address) == ipv4)
				use(classes, address->class);
			a++;
		}
	}
}

static void rank_peer_tables(const struct ir *ir, struct ranking *tables)
{
	for (size_t i = 0; i < ir->subjects_count; i++)
		for (int direction = 0; direction < DIRECTION_COUNT; direction++)
			if (ir->subjects[i].peer_table[direction] != IR_PEER_TABLE_NONE)
				use(tables, ir->subjects[i].peer_table[direction]);
	for (int direction = 0; direction < DIRECTION_COUNT; direction++)
		if (ir->host.peer_table[direction] != IR_PEER_TABLE_NONE)
			use(tables, ir->host.peer_table[direction]);
}

static int compare_class(const void *key, const void *item)
{
	uint32_t wanted = *(const uint32_t *)key, there = ((const struct ir_peer *)item)->class;

	return (wanted > there) - (wanted < there);
}

uint32_t ir_ranks_port_table(const struct ir_peer_table *table, uint32_t class)
{
	const struct ir_peer *peer = NULL;

	if (table->peers_count)
		peer = bsearch(
			&class, table->peers, table->peers_count, sizeof(*peer), compare_class);
	return peer ? peer->port_table : table->otherwise;
}

/* Ranks the port tables of one peer table; of equally common ones the first is the usual one. */
static uint32_t rank_port_tables(
	const struct ir_peer_table *table, struct ir_ranks *ranks, uint32_t *uses)
{
	uint32_t best = ir_ranks_port_table(table, ranks->classes.numbers[0]);

	for (uint32_t i = 0; i < ranks->classes.count; i++)
		uses[ir_ranks_port_table(table, ranks->classes.numbers[i])] = 0;
	for (uint32_t i = 0; i < ranks->classes.count; i++) {
		uint32_t number = ir_ranks_port_table(table, ranks->classes.numbers[i]);

		use(&ranks->port_tables, number);
		uses[number]++;
	}
	for (uint32_t i = 0; i < ranks->classes.count; i++) {
		uint32_t number = ir_ranks_port_table(table, ranks->classes.numbers[i]);

		if (uses[number] > uses[best])
			best = number;
	}
	return best;
}

static int compare_rules(const void *a, const void *b, void *userdata)
{
	const struct ir *ir = userdata;
	const struct ir_rule *first = &ir->rules[*(const uint32_t *)a];
	const struct ir_rule *second = &ir->rules[*(const uint32_t *)b];
	int order = !!first->document - !!second->document;

	if (!order && first->document)
		order = documents_compare(first->document, second->document);
	/* Isolation stands behind the rules. */
	if (!order)
		order = (first->index < 0) - (second->index < 0);
	if (!order)
		order = (int)first->direction - (int)second->direction;
	return order ? order : first->index - second->index;
}

static void rank_rules(const struct ir *ir, struct ranking *rules)
{
	for (uint32_t i = 0; i < ir->rules_count; i++)
		if (ir->rules[i].id)
			rules->numbers[rules->count++] = i;
	qsort_r(rules->numbers, rules->count, sizeof(*rules->numbers), compare_rules, (void *)ir);
	for (uint32_t i = 0; i < rules->count; i++)
		rules->ranks[rules->numbers[i]] = i;
}

int ir_ranks_new(const struct ir *ir, struct ir_ranks *ret)
{
	__attribute__((cleanup(ir_ranks_clear))) struct ir_ranks ranks = {0};
	_cleanup_free_ uint32_t *uses = calloc(ir->port_tables_count + 1, sizeof(*uses));

	if (!uses || ranking_new(ir->rules_count, &ranks.rules) < 0 ||
		ranking_new(ir->classes_count, &ranks.classes) < 0 ||
		ranking_new(ir->peer_tables_count, &ranks.peer_tables) < 0 ||
		ranking_new(ir->port_tables_count, &ranks.port_tables) < 0)
		return -ENOMEM;
	rank_rules(ir, &ranks.rules);
	rank_family(ir, true, &ranks.classes);
	rank_family(ir, false, &ranks.classes);
	rank_peer_tables(ir, &ranks.peer_tables);
	ranks.otherwise = calloc(ranks.peer_tables.count + 1, sizeof(uint32_t));
	if (!ranks.otherwise)
		return -ENOMEM;
	for (uint32_t i = 0; i < ranks.peer_tables.count; i++)
		ranks.otherwise[i] = rank_port_tables(
			&ir->peer_tables[ranks.peer_tables.numbers[i]], &ranks, uses);
	*ret = ranks;
	ranks = (struct ir_ranks){0};
	return 0;
}

static void ranking_clear(struct ranking *ranking)
{
	free(ranking->ranks);
	free(ranking->numbers);
}

void ir_ranks_clear(struct ir_ranks *ranks)
{
	ranking_clear(&ranks->rules);
	ranking_clear(&ranks->classes);
	ranking_clear(&ranks->peer_tables);
	ranking_clear(&ranks->port_tables);
	free(ranks->otherwise);
	*ranks = (struct ir_ranks){0};
}
