/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Documents as they are kept on disk, as a whole:
 *
 *   {"version": 1, "documents": [{"file": "three-tier.yaml", "line": 12, "text": "…"}]}
 */
#pragma once

#include "base/error.h"
#include "policies/document.h"

#include <jansson.h>

/* encode: a new reference, NULL out of memory. decode appends to list; -EBADMSG. */
json_t *policy_store_encode(const struct document_list *list);
int policy_store_decode(json_t *root, struct document_list *list, struct error *error);
/* root to path, which lies in directory, on disk when it returns. Makes the directory (0700) where
 * it is missing. */
int policy_store_write(
	const char *directory, const char *path, const json_t *root, struct error *error);
/* What was written so takes the place of directory/name, on disk when it returns. */
int policy_store_replace(
	const char *directory, const char *next, const char *name, struct error *error);

/* DIR/policies.json, where agents before the journal kept what was applied. Appends it to list. A
 * missing file is an empty store. A damaged one is -EBADMSG and the agent must not go on with fewer
 * policies than were applied. */
int policy_store_load(const char *directory, struct document_list *list, struct error *error);
int policy_store_remove(const char *directory, struct error *error);
