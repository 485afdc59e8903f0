/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Documents of several files as the one text that an apply sends, and the way back from a place in
 * that text to the file it came from.
 */
#pragma once

#include "policies/document.h"

#include <jansson.h>

struct bundle {
	char *text;
	const char *file;   /* what the agent shall call it; borrowed from the list */
	struct span *spans; /* one for each document, in order */
	size_t spans_count;
};

/* list must outlive ret. Where all documents come from one file, each keeps its line. */
void bundle_new(const struct document_list *list, struct bundle *ret);
void bundle_clear(struct bundle *bundle);

/* Prints the agent's diagnostics in the places that the user knows, and says whether there were
 * any. */
bool bundle_print_diagnostics(const struct bundle *bundle, const json_t *list);

#define _cleanup_bundle_ __attribute__((cleanup(bundle_clear)))
