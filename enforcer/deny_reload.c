/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "deny_reload.h"

#include "base/cleanup.h"
#include "early.h"

#include <stdlib.h>
#include <utlist.h>

static void answer(
	struct agent *agent, struct deny_reload *reloads, int r, const struct error *error)
{
	struct deny_reload *reload, *next;

	LL_FOREACH_SAFE (reloads, reload, next) {
		reload->done(agent, r, error, reload->userdata);
		free(reload);
	}
}

static void on_loaded(int r, const struct error *error, void *userdata);

static int begin(struct agent *agent, struct error *error)
{
	int r = xdp_deny_lists_reload(agent->early, on_loaded, agent, error);

	if (r < 0)
		return r;
	agent->reloads = TAKE_PTR(agent->later_reloads);
	return 0;
}

static void on_loaded(int r, const struct error *error, void *userdata)
{
	_cleanup_error_ struct error own = ERROR_INIT;
	struct agent *agent = userdata;
	struct deny_reload *reloads = TAKE_PTR(agent->reloads);

	if (r < 0)
		r = error_set(
			&own, r, "the former deny lists stay in force: %s", error_message(error));
	else
		r = early_apply(agent, &own);
	answer(agent, reloads, r, &own);
	if (!agent->later_reloads)
		return;
	error_clear(&own);
	r = begin(agent, &own);
	if (r < 0)
		answer(agent, TAKE_PTR(agent->later_reloads), r, &own);
}

int deny_reload(struct agent *agent, deny_reload_fn done, void *userdata, struct error *error)
{
	struct deny_reload *reload = calloc(1, sizeof(*reload));
	int r;

	if (!reload)
		return error_nomem(error);
	*reload = (struct deny_reload){.done = done, .userdata = userdata};
	LL_APPEND(agent->later_reloads, reload);
	if (agent->reloads)
		return 0;
	r = begin(agent, error);
	if (r < 0) {
		LL_DELETE(agent->later_reloads, reload);
		free(reload);
	}
	return r;
}

static void clear(struct deny_reload **reloads)
{
	struct deny_reload *reload, *next;

	LL_FOREACH_SAFE (*reloads, reload, next) {
		free(reload);
	}
	*reloads = NULL;
}

void deny_reloads_clear(struct agent *agent)
{
	clear(&agent->reloads);
	clear(&agent->later_reloads);
}
