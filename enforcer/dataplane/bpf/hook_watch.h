/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks after the programs on interfaces: taken off by someone, or with somebody's before them,
 * they are put right, and trouble says so. The kernel tells of changes to filters; nothing tells of
 * those to tcx links, so all interfaces are looked at twice a second, as far as that stays cheap:
 * about 2,000 with tcx; with clsact some 60, since for those it matters only where an event was
 * lost.
 */
#pragma once

#include "base/error.h"
#include "dataplane/bpf/interfaces.h"
#include "dataplane/dataplane.h"

#include <stdint.h>
#include <systemd/sd-event.h>

struct mnl_socket;

struct hook_watch {
	struct interfaces *interfaces;
	const struct dataplane_callbacks *callbacks;
	struct mnl_socket *socket;
	sd_event_source *events;
	sd_event_source *round; /* timer */
	uint32_t checked;       /* ifindex of the one that is next; 0: the first */
};

/* interfaces and callbacks are borrowed. */
int hook_watch_open(struct hook_watch *watch, struct interfaces *interfaces,
	const struct dataplane_callbacks *callbacks, sd_event *event, struct error *error);
void hook_watch_close(struct hook_watch *watch);
/* What the kernel has told up to now, so that an apply knows it. */
void hook_watch_hear(struct hook_watch *watch);
/* One round over all of them, as far as it stays cheap. */
void hook_watch_round(struct hook_watch *watch);
