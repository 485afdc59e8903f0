/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The node's uplinks: interfaces that are named, or those that its default routes use. */
#pragma once

#include "base/error.h"
#include "dataplane/xdp/xdp.h"

#include <stddef.h>
#include <systemd/sd-event.h>

struct uplinks;

/* changed is called from the event loop when the list may have changed. names are borrowed; none:
 * the default routes of all tables, IPv4 and IPv6. */
int uplinks_new(sd_event *event, const char *const *names, size_t names_count,
	void (*changed)(void *userdata), void *userdata, struct uplinks **ret, struct error *error);
void uplinks_free(struct uplinks *uplinks);

/* Those that are there now, each once. Named ones that are not are passed over: they may come.
 * *ret is the caller's to free. */
int uplinks_list(struct uplinks *uplinks, struct xdp_interface **ret, size_t *ret_count,
	struct error *error);
