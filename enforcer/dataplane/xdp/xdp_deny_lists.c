/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From files to the ranges in force. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "dataplane/xdp/xdp_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Puts it in force. */
static int take(struct xdp *xdp, struct deny_outcome *outcome, struct error *error)
{
	struct xdp_deny_state *deny = &xdp->deny;
	int r = 0;

	if (outcome->ranges || xdp->is_open) {
		r = xdp_open(xdp, error);
		if (r == 0)
			r = xdp_objects_set_deny_lists(&xdp->objects, outcome->map, error);
	}
	if (r < 0)
		return r;
	free(deny->prefixes);
	deny->prefixes = TAKE_PTR(outcome->prefixes);
	deny->ranges = outcome->ranges;
	deny->loaded_ns = clock_ns(CLOCK_REALTIME);
	deny->duration_ns = clock_ns(CLOCK_MONOTONIC) - outcome->start_ns;
	return 0;
}

/* r: of reading the files. */
static int settle(struct xdp *xdp, int r, struct deny_outcome *outcome, struct error *error)
{
	if (r == 0)
		r = take(xdp, outcome, error);
	free(xdp->deny.error);
	xdp->deny.error = r < 0 ? strdup(error_message(error)) : NULL;
	return r;
}

int xdp_deny_lists_load(struct xdp *xdp, struct error *error)
{
	_cleanup_deny_outcome_ struct deny_outcome outcome = DENY_OUTCOME_INIT;
	_cleanup_error_ struct error own = ERROR_INIT;
	int r = deny_outcome_make(
		xdp->options.deny_lists, xdp->options.deny_lists_count, &outcome, &own);

	r = settle(xdp, r, &outcome, &own);
	return r < 0 ? error_set(error, r, "%s", error_message(&own)) : 0;
}

static void on_job(int r, struct deny_outcome *outcome, struct error *error, void *userdata)
{
	struct xdp *xdp = userdata;
	struct deny_job *job = TAKE_PTR(xdp->deny.job);

	r = settle(xdp, r, outcome, error);
	xdp->deny.done(r, error, xdp->deny.userdata);
	deny_job_free(job);
}

int xdp_deny_lists_reload(
	struct xdp *xdp, xdp_deny_lists_fn done, void *userdata, struct error *error)
{
	struct xdp_deny_state *deny = &xdp->deny;

	if (deny->job)
		return error_set(error, -EBUSY, "the deny lists are being read already");
	deny->done = done;
	deny->userdata = userdata;
	return deny_job_new(xdp->options.deny_lists, xdp->options.deny_lists_count, xdp->event,
		on_job, xdp, &deny->job, error);
}

const char *xdp_deny_lists_problem(const struct xdp *xdp)
{
	return xdp->deny.error;
}
