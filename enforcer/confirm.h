/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policies on probation (segctl policy apply --confirm): enforced at once, and taken back unless
 * somebody confirms them in time. Former documents and deadline are in DIR/unconfirmed.json from
 * before the change until the decision, so an agent that comes after a crash waits on, or rolls
 * back what is overdue. The deadline counts CLOCK_BOOTTIME, which nobody can set; after a reboot it
 * has passed.
 *
 * While a decision is open, every other change of policies is refused: a rollback would undo it,
 * too.
 */
#pragma once

#include "agent.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define CONFIRM_SECONDS_MAX 86400

struct confirm;

/* Takes up what an earlier agent left undecided; after the first reconcile. 0, -ENOMEM, -EBADMSG.
 */
int confirm_open(struct agent *agent, struct error *error);
void confirm_free(struct confirm *confirm);

bool confirm_is_open(const struct agent *agent);

/* Applies documents on probation. -EBUSY: a decision is open already. Else as agent_reconcile();
 * with -ESTALE, too, the decision is open. */
int confirm_apply(struct agent *agent, const struct document_list *documents, uint32_t seconds,
	struct error *error);

/* Decides. keep: the policies stay, else the former ones come back at once. -ENOENT: there is
 * nothing to decide (any more). On other failures it stays open. */
int confirm_decide(struct agent *agent, bool keep, struct error *error);

/* {"seconds_left": n}, or null. New reference. */
json_t *confirm_describe(const struct agent *agent);
