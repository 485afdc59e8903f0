/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The applied documents on disk: DIR/policies.json, replaced as a whole (written beside, synced,
 * renamed), so that a crash leaves the old set or the new one.
 *
 *   {"version": 1, "documents": [{"file": "three-tier.yaml", "line": 12, "text": "…"}]}
 */
#pragma once

#include "base/error.h"
#include "policies/document.h"

#include <jansson.h>

/* Appends what is stored to list. A missing file is an empty store. A damaged one is -EBADMSG and
 * the agent must not go on with fewer policies than were applied. */
int policy_store_load(const char *directory, struct document_list *list, struct error *error);

/* Writes list beside the store. Call policy_store_commit() once the kernel has it, or
 * policy_store_abort(). Makes the directory (0700) where it is missing. */
int policy_store_prepare(
	const char *directory, const struct document_list *list, struct error *error);
int policy_store_commit(const char *directory, struct error *error);
void policy_store_abort(const char *directory);

/* What is in such a file, for others that keep documents. encode: a new reference, NULL out of
 * memory. decode appends to list; -EBADMSG. */
json_t *policy_store_encode(const struct document_list *list);
int policy_store_decode(json_t *root, struct document_list *list, struct error *error);
/* root to path, which lies in directory, on disk when it returns. */
int policy_store_write(
	const char *directory, const char *path, const json_t *root, struct error *error);
