/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The applied documents on disk: DIR/policies.journal. Each change is appended, so that it costs
 * what it changes and one wait for the disk:
 *
 *   segd policies 1
 *   {"version": 1, "documents": [{"file": "three-tier.yaml", "line": 12, "text": "…"}]}
 *   commit 5d7b6f1e
 *   {"version": 1, "documents": […], "deleted": [{"kind": "…", "namespace": "…", "name": "…"}]}
 *   commit 0a11c9d2
 *
 * The first record is all there was when the file was made (written beside, synced, renamed), each
 * further one what changed since. A record counts with its commit mark, which has its CRC-32: what
 * a crash left behind the last mark was never in force for certain, and never acknowledged. At the
 * start, and whenever it has grown, the journal is written anew.
 */
#pragma once

#include "base/error.h"
#include "policies/document.h"

struct policy_journal;

/*
 * Appends what is stored to list. No journal is an empty one; of an earlier version's policies.json
 * it takes the place. -EBADMSG: what was committed is damaged, and the agent must not go on with
 * fewer policies than were applied.
 */
int policy_journal_open(const char *directory, struct document_list *list,
	struct policy_journal **ret, struct error *error);
void policy_journal_free(struct policy_journal *journal);

/* Writes what makes list of what is stored, without its mark. Call policy_journal_commit() once the
 * kernel has it, or policy_journal_abort(). Makes the directory (0700) where it is missing. */
int policy_journal_prepare(
	struct policy_journal *journal, const struct document_list *list, struct error *error);
/* 0: on disk. */
int policy_journal_commit(struct policy_journal *journal, struct error *error);
void policy_journal_abort(struct policy_journal *journal);
