/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Label selectors with the semantics of Kubernetes (k8s.io/apimachinery, labels.Selector): all
 * requirements must hold; without any, everything matches; NotIn and DoesNotExist hold for a set
 * that lacks the key.
 */
#pragma once

#include "policies/labels.h"

#include <stdbool.h>
#include <stddef.h>

enum selector_relation {
	SELECTOR_IN,
	SELECTOR_NOT_IN,
	SELECTOR_EXISTS,
	SELECTOR_NOT_EXISTS,
};

struct selector_requirement {
	char *key;
	enum selector_relation relation;
	char **values; /* of IN and NOT_IN; sorted, each once, after selector_normalize() */
	size_t values_count;
};

struct selector {
	struct selector_requirement *requirements;
	size_t count;
};

bool selector_matches(const struct selector *selector, const struct labels *labels);

/* Copies key. NULL: out of memory. Valid until the next addition. */
struct selector_requirement *selector_add(
	struct selector *selector, const char *key, enum selector_relation relation);
int selector_requirement_add(struct selector_requirement *requirement, const char *value);

/* Sorts requirements and values: selectors of the same text in another order become equal. */
void selector_normalize(struct selector *selector);

/* "app=db,env in (prod,staging)"; "*" where everything matches. Owned by the caller, NULL: out of
 * memory. What selector_parse() reads back. */
char *selector_format(const struct selector *selector);

/*
 * Reads what `kubectl -l` takes: "app=db,env in (prod,staging),tier!=edge,!legacy,team"; "*" alone
 * is everything. The result is normalized. -EINVAL: *ret_problem (owned by the caller) says what is
 * wrong and *ret_offset where, in bytes from the start of text. Other results: 0, -ENOMEM.
 */
int selector_parse(const char *text, struct selector *ret, char **ret_problem, size_t *ret_offset);

void selector_clear(struct selector *selector);
