/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/ruleset.h"

#include "base/fnv.h"

#include <stdlib.h>
#include <string.h>

uint64_t identity_add(uint64_t identity, const void *bytes, size_t size)
{
	return fnv_add(identity, bytes, size);
}

uint64_t identity_add_number(uint64_t identity, uint64_t number)
{
	return identity_add(identity, &number, sizeof(number));
}

/* With its NUL, so that neighbouring texts do not run together. */
uint64_t identity_add_text(uint64_t identity, const char *text)
{
	return identity_add(identity, text, strlen(text) + 1);
}

uint64_t identity_add_target(uint64_t identity, struct target target)
{
	return identity_add_number(
		identity_add_number(identity, (uint32_t)target.code), target.chain);
}

struct ruleset_chain *ruleset_add_chain(struct ruleset *ruleset, const char *name)
{
	struct ruleset_chain *chain = calloc(1, sizeof(*chain));

	if (!chain)
		return NULL;
	chain->id = identity_add_text(IDENTITY_START, name);
	chain->name = strdup(name);
	if (!chain->name) {
		free(chain);
		return NULL;
	}
	HASH_ADD(hh, ruleset->chains, id, sizeof(chain->id), chain);
	if (HASH_ADDED(chain))
		return chain;
	free(chain->name);
	free(chain);
	return NULL;
}

struct ruleset_set *ruleset_add_set(
	struct ruleset *ruleset, const char *name, const struct shape *shape, bool mutable)
{
	struct ruleset_set *set = calloc(1, sizeof(*set));

	if (!set)
		return NULL;
	set->shape = *shape;
	set->target.code = TARGET_NONE;
	set->mutable = mutable;
	set->name = strdup(name);
	if (!set->name) {
		free(set);
		return NULL;
	}
	HASH_ADD_KEYPTR(hh, ruleset->sets, set->name, strlen(set->name), set);
	if (HASH_ADDED(set))
		return set;
	free(set->name);
	free(set);
	return NULL;
}

void ruleset_set_fill(struct ruleset_set *set, struct element_list *elements)
{
	set->target = element_list_target(elements);
	set->shape.verdicts = set->target.code == TARGET_NONE;
	for (size_t i = 0; !set->shape.verdicts && i < elements->count; i++)
		elements->items[i].target = (struct target){.code = TARGET_NONE};
	set->elements = *elements;
	*elements = (struct element_list){0};
}

struct ruleset_chain *ruleset_find_chain(const struct ruleset *ruleset, uint64_t id)
{
	struct ruleset_chain *chain;

	HASH_FIND(hh, ruleset->chains, &id, sizeof(id), chain);
	return chain;
}

struct ruleset_set *ruleset_find_set(const struct ruleset *ruleset, const char *name)
{
	struct ruleset_set *set;

	HASH_FIND(hh, ruleset->sets, name, strlen(name), set);
	return set;
}

struct ruleset_chain *ruleset_find_same_chain(
	const struct ruleset *ruleset, const struct ruleset_chain *other)
{
	struct ruleset_chain *chain;

	HASH_FIND_BYHASHVALUE(
		hh, ruleset->chains, &other->id, sizeof(other->id), other->hh.hashv, chain);
	return chain;
}

struct ruleset_set *ruleset_find_same_set(
	const struct ruleset *ruleset, const struct ruleset_set *other)
{
	struct ruleset_set *set;

	HASH_FIND_BYHASHVALUE(
		hh, ruleset->sets, other->name, other->hh.keylen, other->hh.hashv, set);
	return set;
}

const char *ruleset_chain_name(uint64_t id, void *ruleset)
{
	const struct ruleset_chain *chain = ruleset_find_chain(ruleset, id);

	return chain ? chain->name : "";
}

void ruleset_remove_chain(struct ruleset *ruleset, struct ruleset_chain *chain)
{
	HASH_DEL(ruleset->chains, chain);
	free(chain->name);
	free(chain);
}

void ruleset_remove_set(struct ruleset *ruleset, struct ruleset_set *set)
{
	HASH_DEL(ruleset->sets, set);
	element_list_clear(&set->elements);
	free(set->name);
	free(set);
}

void ruleset_clear(struct ruleset *ruleset)
{
	struct ruleset_chain *chain, *next_chain;
	struct ruleset_set *set, *next_set;

	HASH_ITER (hh, ruleset->chains, chain, next_chain)
		ruleset_remove_chain(ruleset, chain);
	HASH_ITER (hh, ruleset->sets, set, next_set)
		ruleset_remove_set(ruleset, set);
}
