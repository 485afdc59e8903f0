/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/selector.h"

#include "base/cleanup.h"
#include "policies/array.h"

#include <errno.h>

static bool holds_value(const struct selector_requirement *requirement, const char *value)
{
	for (size_t i = 0; i < requirement->values_count; i++)
		if (!strcmp(requirement->values[i], value))
			return true;
	return false;
}

static bool holds(const struct selector_requirement *requirement, const struct labels *labels)
{
	const char *value = labels_get(labels, requirement->key);

	switch (requirement->relation) {
	case SELECTOR_IN:
		return value && holds_value(requirement, value);
	case SELECTOR_NOT_IN:
		return !value || !holds_value(requirement, value);
	case SELECTOR_EXISTS:
		return value;
	case SELECTOR_NOT_EXISTS:
		return !value;
	}
	return false;
}

bool selector_matches(const struct selector *selector, const struct labels *labels)
{
	for (size_t i = 0; i < selector->count; i++)
		if (!holds(&selector->requirements[i], labels))
			return false;
	return true;
}

struct selector_requirement *selector_add(
	struct selector *selector, const char *key, enum selector_relation relation)
{
	_cleanup_free_ char *own_key = strdup(key);
	struct selector_requirement *requirement;

	if (!own_key)
		return NULL;
	requirement = array_append(selector->requirements, selector->count);
	if (!requirement)
		return NULL;
	requirement->key = TAKE_PTR(own_key);
	requirement->relation = relation;
	return requirement;
}

int selector_requirement_add(struct selector_requirement *requirement, const char *value)
{
	_cleanup_free_ char *own_value = strdup(value);
	char **slot;

	if (!own_value)
		return -ENOMEM;
	slot = array_append(requirement->values, requirement->values_count);
	if (!slot)
		return -ENOMEM;
	*slot = TAKE_PTR(own_value);
	return 0;
}

static int compare_values(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int compare_requirements(const void *a, const void *b)
{
	const struct selector_requirement *first = a, *second = b;
	int order = strcmp(first->key, second->key);

	if (!order)
		order = (int)first->relation - (int)second->relation;
	for (size_t i = 0; !order && i < first->values_count && i < second->values_count; i++)
		order = strcmp(first->values[i], second->values[i]);
	if (!order)
		order = (first->values_count > second->values_count) -
			(first->values_count < second->values_count);
	return order;
}

static void sort_values(struct selector_requirement *requirement)
{
	size_t kept = 0;

	if (!requirement->values_count)
		return;
	qsort(requirement->values, requirement->values_count, sizeof(char *), compare_values);
	for (size_t i = 0; i < requirement->values_count; i++) {
		if (kept && !strcmp(requirement->values[kept - 1], requirement->values[i]))
			free(requirement->values[i]);
		else
			requirement->values[kept++] = requirement->values[i];
	}
	requirement->values_count = kept;
}

void selector_normalize(struct selector *selector)
{
	if (!selector->count)
		return;
	for (size_t i = 0; i < selector->count; i++)
		sort_values(&selector->requirements[i]);
	qsort(selector->requirements, selector->count, sizeof(*selector->requirements),
		compare_requirements);
}

static void format_requirement(const struct selector_requirement *requirement, FILE *stream)
{
	bool negative = requirement->relation == SELECTOR_NOT_IN;

	switch (requirement->relation) {
	case SELECTOR_EXISTS:
		fputs(requirement->key, stream);
		return;
	case SELECTOR_NOT_EXISTS:
		fprintf(stream, "!%s", requirement->key);
		return;
	case SELECTOR_IN:
	case SELECTOR_NOT_IN:
		break;
	}
	if (requirement->values_count == 1) {
		fprintf(stream, "%s%s%s", requirement->key, negative ? "!=" : "=",
			requirement->values[0]);
		return;
	}
	fprintf(stream, "%s %s (", requirement->key, negative ? "notin" : "in");
	for (size_t i = 0; i < requirement->values_count; i++)
		fprintf(stream, "%s%s", i ? "," : "", requirement->values[i]);
	fputc(')', stream);
}

char *selector_format(const struct selector *selector)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return NULL;
	for (size_t i = 0; i < selector->count; i++) {
		if (i)
			fputc(',', stream);
		format_requirement(&selector->requirements[i], stream);
	}
	if (!selector->count)
		fputc('*', stream);
	if (fclose(stream)) {
		free(text);
		return NULL;
	}
	return text;
}

void selector_clear(struct selector *selector)
{
	for (size_t i = 0; i < selector->count; i++) {
		struct selector_requirement *requirement = &selector->requirements[i];

		for (size_t k = 0; k < requirement->values_count; k++)
			free(requirement->values[k]);
		free(requirement->values);
		free(requirement->key);
	}
	free(selector->requirements);
	*selector = (struct selector){0};
}
