/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/requirement.h"

#include "policies/suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_SHORTEST 2 /* a single letter begins too many words */

bool requirement_words_alike(const char *a, const char *b)
{
	size_t a_length = strlen(a), b_length = strlen(b);
	size_t shorter = a_length < b_length ? a_length : b_length;

	if (shorter < WORD_SHORTEST)
		return false;
	return strncmp(a, b, shorter) == 0 || suggest(a, &b, 1);
}

static bool nearly_one_of(const struct selector_requirement *requirement, const char *value)
{
	for (size_t i = 0; i < requirement->values_count; i++)
		if (requirement_words_alike(value, requirement->values[i]))
			return true;
	return false;
}

static const struct label *label_alike(
	const struct selector_requirement *requirement, const struct labels *labels)
{
	for (size_t i = 0; i < labels->count; i++)
		if (requirement_words_alike(labels->items[i].key, requirement->key))
			return &labels->items[i];
	return NULL;
}

enum requirement_gap requirement_gap(
	const struct selector_requirement *requirement, const struct labels *labels)
{
	const struct selector alone = {(struct selector_requirement *)requirement, 1};
	const char *value = labels_get(labels, requirement->key);

	if (selector_matches(&alone, labels))
		return REQUIREMENT_MET;
	if (!value)
		return label_alike(requirement, labels) ? REQUIREMENT_NEARLY : REQUIREMENT_ABSENT;
	if (requirement->relation == SELECTOR_IN && nearly_one_of(requirement, value))
		return REQUIREMENT_NEARLY;
	return REQUIREMENT_OTHER;
}

char *requirement_format(const struct selector_requirement *requirement)
{
	const struct selector alone = {(struct selector_requirement *)requirement, 1};

	return selector_format(&alone);
}

char *requirement_found(const struct selector_requirement *requirement, const struct labels *labels)
{
	const char *value = labels_get(labels, requirement->key);
	const struct label *alike = value ? NULL : label_alike(requirement, labels);
	char *text;
	int r;

	if (value)
		r = asprintf(&text, "%s=%s", requirement->key, value);
	else if (alike)
		r = asprintf(
			&text, "no label %s but %s=%s", requirement->key, alike->key, alike->value);
	else
		r = asprintf(&text, "no label %s", requirement->key);
	return r < 0 ? NULL : text;
}
