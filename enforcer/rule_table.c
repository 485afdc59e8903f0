/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rule_table.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "flow/rule_json.h"
#include "json.h"
#include "policies/ir_shared.h"

#include <errno.h>

struct entry {
	uint32_t id;
	bool in_force;
	bool was_in_force; /* before the update that is under way */
	uint64_t hits;
	struct document *document; /* a reference is held while it is in force; NULL: fixed */
	enum tier tier;
	char *rule; /* JSON in text, a fifth of what it takes as values */
	UT_hash_handle hh;
};

struct rule_table {
	struct ir_shared *shared; /* whose rules are in force, referenced; NULL: not known */
	struct entry *entries;    /* in the order of their arrival */
	size_t retired;
};

int rule_table_new(struct rule_table **ret)
{
	struct rule_table *table = calloc(1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	*ret = table;
	return 0;
}

static void entry_free(struct rule_table *table, struct entry *entry)
{
	HASH_DEL(table->entries, entry);
	document_release(entry->document);
	free(entry->rule);
	free(entry);
}

void rule_table_free(struct rule_table *table)
{
	struct entry *entry, *next;

	if (!table)
		return;
	HASH_ITER (hh, table->entries, entry, next) {
		entry_free(table, entry);
	}
	ir_shared_release(table->shared);
	free(table);
}

/* NULL: out of memory. */
static char *rule_to_text(const struct ir_rule *rule)
{
	_cleanup_json_ json_t *json = rule_to_json(rule);

	return json ? json_dumps(json, JSON_COMPACT) : NULL;
}

static struct entry *find(const struct rule_table *table, uint32_t id)
{
	struct entry *entry;

	HASH_FIND(hh, table->entries, &id, sizeof(id), entry);
	return entry;
}

/* NULL: out of memory. */
static struct entry *insert(struct rule_table *table, uint32_t id)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->id = id;
	HASH_ADD(hh, table->entries, id, sizeof(entry->id), entry);
	if (HASH_ADDED(entry))
		return entry;
	free(entry);
	return NULL;
}

static int add(struct rule_table *table, const struct ir_rule *rule)
{
	struct entry *entry = find(table, rule->id);
	char *text;

	/* Most are as they were. */
	if (entry && entry->was_in_force && entry->document == rule->document &&
		entry->tier == rule->tier) {
		entry->in_force = true;
		return 0;
	}
	text = rule_to_text(rule);
	if (!text)
		return -ENOMEM;
	if (!entry)
		entry = insert(table, rule->id);
	if (!entry) {
		free(text);
		return -ENOMEM;
	}
	free(entry->rule);
	entry->rule = text;
	entry->tier = rule->tier;
	document_release(entry->document);
	entry->document =
		rule->document ? document_reference((struct document *)rule->document) : NULL;
	entry->in_force = true;
	return 0;
}

static void forget_oldest(struct rule_table *table)
{
	struct entry *entry, *next;

	HASH_ITER (hh, table->entries, entry, next) {
		if (table->retired <= RULE_TABLE_RETIRED_MAX)
			break;
		if (!entry->in_force) {
			entry_free(table, entry);
			table->retired--;
		}
	}
}

/* Remembers whose rules these are. */
static void set_shared(struct rule_table *table, struct ir_shared *shared)
{
	ir_shared_release(table->shared);
	table->shared = shared ? ir_shared_reference(shared) : NULL;
}

int rule_table_update(struct rule_table *table, const struct ir *ir)
{
	struct entry *entry, *next;

	/* Workloads came or went, and nothing else. */
	if (ir->shared && ir->shared == table->shared)
		return 0;
	set_shared(table, NULL);
	table->retired = 0;
	HASH_ITER (hh, table->entries, entry, next) {
		entry->was_in_force = entry->in_force;
		entry->in_force = false;
	}
	for (size_t i = 0; i < ir->rules_count; i++) {
		if (ir->rules[i].id && add(table, &ir->rules[i]) < 0)
			return -ENOMEM;
	}
	HASH_ITER (hh, table->entries, entry, next) {
		if (entry->in_force)
			continue;
		table->retired++;
		document_release(entry->document);
		entry->document = NULL;
	}
	forget_oldest(table);
	set_shared(table, ir->shared);
	return 0;
}

bool rule_table_set_hits(struct rule_table *table, uint32_t id, uint64_t hits)
{
	struct entry *entry = find(table, id);

	if (entry && entry->hits < hits)
		entry->hits = hits;
	return entry;
}

static void count_hits(struct rule_table *table, uint32_t id, uint64_t hits)
{
	struct entry *entry = find(table, id);

	if (entry)
		entry->hits += hits;
}

void rule_table_count(struct rule_table *table, const struct flow_event *event)
{
	if (event->type == FLOW_DENIED) {
		count_hits(table, event->rule, event->packets[0]);
	} else if (event->type == FLOW_NEW) {
		count_hits(table, event->rule, 1);
		if (event->other_rule != event->rule)
			count_hits(table, event->other_rule, 1);
	}
}

json_t *rule_table_json(const struct rule_table *table, uint32_t id)
{
	struct entry *entry = find(table, id);

	return entry ? json_loads(entry->rule, 0, NULL) : json_null();
}

uint64_t rule_table_hits(const struct rule_table *table, uint32_t id)
{
	struct entry *entry = find(table, id);

	return entry ? entry->hits : 0;
}

void rule_table_for_each(const struct rule_table *table,
	void (*visit)(const json_t *rule, uint64_t hits, void *userdata), void *userdata)
{
	struct entry *entry, *next;

	HASH_ITER (hh, table->entries, entry, next) {
		_cleanup_json_ json_t *rule = NULL;

		if (!entry->in_force)
			continue;
		rule = json_loads(entry->rule, 0, NULL);
		if (rule)
			visit(rule, entry->hits, userdata);
	}
}
