/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/labels.h"

#include "base/cleanup.h"
#include "policies/array.h"

#include <errno.h>

#define NAME_MAX_LENGTH   63
#define PREFIX_MAX_LENGTH 253

/* The index of key, or of the first one behind it. */
static size_t lower_bound(const struct labels *labels, const char *key)
{
	size_t low = 0, high = labels->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(labels->items[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct labels *labels, size_t index, const char *key)
{
	return index < labels->count && !strcmp(labels->items[index].key, key);
}

int labels_set(struct labels *labels, const char *key, const char *value)
{
	size_t index = lower_bound(labels, key);
	_cleanup_free_ char *new_value = strdup(value);
	_cleanup_free_ char *new_key = NULL;

	if (!new_value)
		return -ENOMEM;
	if (is_at(labels, index, key)) {
		free(labels->items[index].value);
		labels->items[index].value = TAKE_PTR(new_value);
		return 0;
	}
	new_key = strdup(key);
	if (!new_key || !array_append(labels->items, labels->count))
		return -ENOMEM;
	memmove(&labels->items[index + 1], &labels->items[index],
		(labels->count - 1 - index) * sizeof(*labels->items));
	labels->items[index] = (struct label){TAKE_PTR(new_key), TAKE_PTR(new_value)};
	return 0;
}

const char *labels_get(const struct labels *labels, const char *key)
{
	size_t index = lower_bound(labels, key);

	return is_at(labels, index, key) ? labels->items[index].value : NULL;
}

bool labels_equal(const struct labels *a, const struct labels *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i].key, b->items[i].key) ||
			strcmp(a->items[i].value, b->items[i].value))
			return false;
	return true;
}

int labels_copy(const struct labels *labels, struct labels *ret)
{
	_cleanup_(labels_clear) struct labels copy = {0};

	for (size_t i = 0; i < labels->count; i++)
		if (labels_set(&copy, labels->items[i].key, labels->items[i].value) < 0)
			return -ENOMEM;
	*ret = copy;
	copy = (struct labels){0};
	return 0;
}

void labels_clear(struct labels *labels)
{
	for (size_t i = 0; i < labels->count; i++) {
		free(labels->items[i].key);
		free(labels->items[i].value);
	}
	free(labels->items);
	*labels = (struct labels){0};
}

/* Not isalnum(): that asks the locale. */
static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static const char *name_problem(const char *text)
{
	size_t length = strlen(text);

	if (length > NAME_MAX_LENGTH)
		return "is longer than 63 characters";
	if (!is_alphanumeric(text[0]) || !is_alphanumeric(text[length - 1]))
		return "must begin and end with a letter or digit";
	for (size_t i = 0; i < length; i++)
		if (!is_alphanumeric(text[i]) && !strchr("-_.", text[i]))
			return "may hold only letters, digits, '-', '_' and '.'";
	return NULL;
}

/* A DNS subdomain (RFC 1123): dotted parts of lower case letters, digits and '-'. */
static const char *prefix_problem(const char *text, size_t length)
{
	if (length > PREFIX_MAX_LENGTH)
		return "has a prefix of more than 253 characters";
	for (size_t i = 0; i < length; i++) {
		char before = i ? text[i - 1] : '.', after = i + 1 < length ? text[i + 1] : '.';
		bool plain = is_alphanumeric(text[i]) && !(text[i] >= 'A' && text[i] <= 'Z');

		if (!plain && text[i] != '-' && text[i] != '.')
			return "has a prefix that is no DNS name in lower case";
		if (!plain && (strchr(".", before) || strchr(".", after) ||
				      (text[i] == '.' && (before == '-' || after == '-'))))
			return "has a prefix with an empty part or a '-' at the edge of one";
	}
	return NULL;
}

const char *label_key_problem(const char *key)
{
	const char *slash = strchr(key, '/');
	const char *problem;

	if (!*key)
		return "is empty";
	if (!slash)
		return name_problem(key);
	if (slash == key)
		return "has an empty prefix";
	problem = prefix_problem(key, (size_t)(slash - key));
	if (problem)
		return problem;
	return slash[1] ? name_problem(slash + 1) : "has no name behind its prefix";
}

const char *label_value_problem(const char *value)
{
	return *value ? name_problem(value) : NULL;
}
