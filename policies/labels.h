/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Label sets, sorted by key, each key once. Values may be empty. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct label {
	char *key;
	char *value;
};

struct labels {
	struct label *items;
	size_t count;
};

/* Replaces the value of a key that is there. Copies both strings. 0 or -ENOMEM. */
int labels_set(struct labels *labels, const char *key, const char *value);
/* NULL: no such key. */
const char *labels_get(const struct labels *labels, const char *key);
bool labels_equal(const struct labels *a, const struct labels *b);
int labels_copy(const struct labels *labels, struct labels *ret);
void labels_clear(struct labels *labels);

/* The syntax of Kubernetes (qualified names, label values). NULL if valid, else what is wrong
 * (static text). */
const char *label_key_problem(const char *key);
const char *label_value_problem(const char *value);
