/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From files to the ranges in force. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "dataplane/xdp/deny_file.h"
#include "dataplane/xdp/xdp_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int read_files(const struct xdp_options *options, struct deny_ranges *ranges,
	size_t *prefixes, struct error *error)
{
	for (size_t i = 0; i < options->deny_lists_count; i++) {
		int r = deny_file_read(options->deny_lists[i], ranges, &prefixes[i], error);

		if (r < 0)
			return r;
	}
	deny_ranges_finish(ranges);
	return 0;
}

static int load(struct xdp *xdp, struct error *error)
{
	const uint64_t start_ns = clock_ns(CLOCK_MONOTONIC);
	_cleanup_deny_ranges_ struct deny_ranges ranges = {0};
	_cleanup_free_ size_t *prefixes = calloc(xdp->options.deny_lists_count + 1, sizeof(size_t));
	int r = 0;

	if (!prefixes)
		return error_nomem(error);
	r = read_files(&xdp->options, &ranges, prefixes, error);
	if (r < 0)
		return r;
	if (ranges.count || xdp->is_open) {
		r = xdp_open(xdp, error);
		if (r == 0)
			r = xdp_objects_set_deny_lists(&xdp->objects, &ranges, error);
	}
	if (r < 0)
		return r;
	free(xdp->deny.prefixes);
	xdp->deny.prefixes = TAKE_PTR(prefixes);
	xdp->deny.ranges = ranges.count;
	xdp->deny.loaded_ns = clock_ns(CLOCK_REALTIME);
	xdp->deny.duration_ns = clock_ns(CLOCK_MONOTONIC) - start_ns;
	return 0;
}

int xdp_deny_lists_load(struct xdp *xdp, struct error *error)
{
	_cleanup_error_ struct error own = ERROR_INIT;
	int r = load(xdp, &own);

	free(xdp->deny.error);
	xdp->deny.error = r < 0 ? strdup(error_message(&own)) : NULL;
	return r < 0 ? error_set(error, r, "%s", error_message(&own)) : 0;
}
