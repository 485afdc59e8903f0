/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every rule that a packet may still be attributed to: those in force and those of earlier
 * policies, with their hit counts. Flow events carry rule ids; a record needs the rule's name even
 * when the policy is gone by then.
 */
#pragma once

#include "flow/event.h"
#include "policies/ir.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct rule_table;

/* Rules that left the policies are remembered up to this many, the longest unused go first. */
#define RULE_TABLE_RETIRED_MAX 65536

int rule_table_new(struct rule_table **ret);
void rule_table_free(struct rule_table *table);

/* The rules of ir are the ones in force now. 0 or -ENOMEM (then as before). */
int rule_table_update(struct rule_table *table, const struct ir *ir);

/* Where the data plane counts: a rule's hits are at least these. false: the rule is not known (any
 * more). */
bool rule_table_set_hits(struct rule_table *table, uint32_t id, uint64_t hits);

/* Where it does not: counts new connections and refused packets. */
void rule_table_count(struct rule_table *table, const struct flow_event *event);

/* {"tier", "kind", "namespace", "name", "index", "text"}; JSON null: unknown id.
 * New reference; NULL: out of memory. */
json_t *rule_table_json(const struct rule_table *table, uint32_t id);
uint64_t rule_table_hits(const struct rule_table *table, uint32_t id);

void rule_table_for_each(const struct rule_table *table,
	void (*visit)(const json_t *rule, uint64_t hits, void *userdata), void *userdata);
