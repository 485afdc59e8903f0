/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/plan_in_force.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "dataplane/nft/plan.h"

void plan_in_force_forget(struct plan_in_force *plan)
{
	plan_memory_clear(&plan->memory);
	plan->followable = false;
}

static int write_anew(struct plan_in_force *plan, struct table *table,
	const struct dataplane_state *state, const char *note, bool *ret_changed,
	struct error *error)
{
	_cleanup_(ruleset_clear) struct ruleset ruleset = {0};
	struct plan_memory memory;
	int r;

	plan_in_force_forget(plan);
	r = plan_build(state->ir, &ruleset, &memory, error);
	laps_end(state->laps, "plan");
	if (r < 0)
		return r;
	r = table_apply(
		table, state->ir, &ruleset, note, clock_ns(CLOCK_MONOTONIC), ret_changed, error);
	plan->memory = memory;
	plan->followable = !r;
	return r;
}

/* False: what is known does not say how, or the kernel does not agree to it. */
static bool follow(struct plan_in_force *plan, struct table *table, const struct ir *former,
	const struct dataplane_state *state, bool *ret_changed)
{
	__attribute__((cleanup(plan_changes_clear))) struct plan_changes changes = {0};
	int r = 0;

	if (former && plan->followable && table_is_sound(table))
		r = plan_follow(&plan->memory, former, state->ir, table_installed(table), &changes);
	laps_end(state->laps, "plan");
	if (r <= 0 || table_follow(table, &changes, NULL) < 0)
		return false;
	*ret_changed = changes.count > 0;
	return true;
}

int plan_in_force_change(struct plan_in_force *plan, struct table *table, const struct ir *former,
	const struct dataplane_state *state, const char *note, bool *ret_changed,
	struct error *error)
{
	if (follow(plan, table, former, state, ret_changed))
		return 0;
	return write_anew(plan, table, state, note, ret_changed, error);
}
