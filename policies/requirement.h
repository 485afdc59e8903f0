/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One requirement of a selector against one set of labels: how far they are apart, and in which
 * words to say it. */
#pragma once

#include "policies/selector.h"

enum requirement_gap {
	REQUIREMENT_MET,
	REQUIREMENT_NEARLY, /* the label's key or value is one that people mistype */
	REQUIREMENT_ABSENT, /* there is no such label */
	REQUIREMENT_OTHER,  /* the label has another value */
};

enum requirement_gap requirement_gap(
	const struct selector_requirement *requirement, const struct labels *labels);

/* "app=web", "tier notin (edge)" as selector_format() has it. Owned by the caller; NULL: out of
 * memory, as below. */
char *requirement_format(const struct selector_requirement *requirement);

/* What is there in its place: "team=payments", "no label team", "no label team but teams=pay". */
char *requirement_found(
	const struct selector_requirement *requirement, const struct labels *labels);

/* Words that differ by a few letters, or one of which goes on where the other ends. */
bool requirement_words_alike(const char *a, const char *b);
