/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes a table what an IR says, the short way where there is one (plan_follow.h). */
#pragma once

#include "base/error.h"
#include "dataplane/dataplane.h"
#include "dataplane/nft/plan_follow.h"
#include "dataplane/nft/table.h"

#include <stdbool.h>

struct plan_in_force {
	struct plan_memory memory; /* void where followable is not set */
	bool followable;
};

/* former: the IR that is in force; NULL: none. On failure packets see what they saw before; what
 * comes after a success and fails is to be followed by plan_in_force_forget(). */
int plan_in_force_change(struct plan_in_force *plan, struct table *table, const struct ir *former,
	const struct dataplane_state *state, const char *note, bool *ret_changed,
	struct error *error);

/* The next change takes the long way. */
void plan_in_force_forget(struct plan_in_force *plan);
