/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/xdp/xdp.h"

#include "base/cleanup.h"
#include "dataplane/xdp/xdp_carry.h"
#include "dataplane/xdp/xdp_private.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIRECTORY "xdp"
#define TICK_USEC 1000000

static int on_tick(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct xdp *xdp = userdata;
	_cleanup_error_ struct error error = ERROR_INIT;
	int r;

	(void)usec;
	/* Puts back what was detached; its troubles were told where they happened. */
	xdp_apply(xdp, NULL);
	r = xdp_collect(xdp, &error);
	if (r < 0 && !xdp->tick_fails)
		xdp->callbacks.trouble(error_message(&error), false, xdp->callbacks.userdata);
	xdp->tick_fails = r < 0;
	r = sd_event_source_set_time_relative(source, TICK_USEC);
	return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int pin_directory(const struct xdp *xdp, char path[static PATH_MAX], struct error *error)
{
	if (snprintf(path, PATH_MAX, "%s/" DIRECTORY, xdp->options.pin_directory) >= PATH_MAX)
		return error_set(error, -ENAMETOOLONG, "pin directory: the path is too long");
	return 0;
}

/* The bpffs belongs on the agent's directory, not on ours below it: whoever opens that one mounts
 * it. With the eBPF data plane it is open, and mounted, already. */
static int open_pins(struct xdp *xdp, struct error *error)
{
	struct pins whole = PINS_INIT;
	char path[PATH_MAX];
	int r;

	r = pin_directory(xdp, path, error);
	if (r < 0)
		return r;
	r = pins_open(&whole, xdp->options.pin_directory, error);
	if (r < 0 && r != -EBUSY)
		return r;
	pins_close(&whole);
	return pins_open(&xdp->pins, path, error);
}

static void shut(struct xdp *xdp)
{
	xdp->tick = sd_event_source_disable_unref(xdp->tick);
	denials_close(&xdp->denials);
	xdp_hooks_clear(&xdp->hooks);
	xdp_objects_close(&xdp->objects);
	pins_close(&xdp->pins);
	xdp->is_open = false;
}

static int open_parts(struct xdp *xdp, struct error *error)
{
	int r;

	r = open_pins(xdp, error);
	if (r < 0)
		return r;
	r = xdp_objects_open(&xdp->objects, &xdp->pins, error);
	if (r < 0)
		return r;
	r = xdp_carry(&xdp->objects, &xdp->pins, error);
	if (r < 0)
		return r;
	xdp->deny.ranges = xdp_objects_count_denied(&xdp->objects);
	xdp->hooks.pins = &xdp->pins;
	xdp->hooks.tc = xdp->options.clsact ? &clsact_mechanism : &tcx_mechanism;
	r = xdp_hooks_adopt(&xdp->hooks, error);
	if (r < 0)
		return r;
	r = denials_open(&xdp->denials, &xdp->objects.shared, &xdp->pins, &xdp->report, error);
	if (r < 0)
		return r;
	r = xdp_targets_adopt(xdp, error);
	if (r < 0)
		return r;
	r = sd_event_add_time_relative(
		xdp->event, &xdp->tick, CLOCK_MONOTONIC, TICK_USEC, 0, on_tick, xdp);
	return r < 0 ? error_errno(error, r, "set a timer") : 0;
}

int xdp_open(struct xdp *xdp, struct error *error)
{
	int r;

	if (xdp->is_open)
		return 0;
	libbpf_set_print(NULL);
	r = open_parts(xdp, error);
	if (r < 0) {
		shut(xdp);
		return error_context(error, r, "drop early");
	}
	xdp->is_open = true;
	return 0;
}

static void xdp_free(struct xdp *xdp)
{
	deny_job_free(xdp->deny.job);
	shut(xdp);
	xdp_targets_clear(xdp);
	sd_event_unref(xdp->event);
	free(xdp->deny.prefixes);
	free(xdp->deny.error);
	free(xdp);
}

DEFINE_CLEANUP(struct xdp *, xdp_free)

int xdp_new(const struct xdp_options *options, const struct dataplane_callbacks *callbacks,
	sd_event *event, struct xdp **ret, struct error *error)
{
	_cleanup_(xdp_freep) struct xdp *xdp = calloc(1, sizeof(*xdp));
	char path[PATH_MAX];
	int r;

	if (!xdp)
		return error_nomem(error);
	xdp->options = *options;
	xdp->callbacks = *callbacks;
	xdp->event = sd_event_ref(event);
	xdp->pins = (struct pins)PINS_INIT;
	xdp->denials.reported = (struct reported)REPORTED_INIT;
	xdp->report = (struct report){.callbacks = &xdp->callbacks};
	r = pin_directory(xdp, path, error);
	if (r < 0)
		return r;
	if (access(path, F_OK) == 0) {
		r = xdp_open(xdp, error);
		if (r < 0)
			return r;
	}
	*ret = TAKE_PTR(xdp);
	return 0;
}

/* What cannot be removed is left: there is no one to tell, and it would still enforce. */
static void remove_all(struct xdp *xdp)
{
	struct xdp_hook *hook, *next;

	HASH_ITER (hh, xdp->hooks.items, hook, next) {
		xdp_hooks_drop(&xdp->hooks, hook, NULL);
	}
	xdp_objects_remove_others(&xdp->objects, &xdp->pins, NULL);
	pins_remove(&xdp->pins, xdp->objects.shared.part, NULL);
	pins_remove(&xdp->pins, tcx_mechanism.part, NULL);
	pins_remove(&xdp->pins, clsact_mechanism.part, NULL);
	rmdir(xdp->pins.directory);
}

void xdp_close(struct xdp *xdp, bool detach)
{
	if (!xdp)
		return;
	xdp_collect(xdp, NULL);
	if (detach && xdp->is_open)
		remove_all(xdp);
	xdp_free(xdp);
}

int xdp_collect(struct xdp *xdp, struct error *error)
{
	return xdp->is_open ? denials_collect(&xdp->denials, error) : 0;
}
