/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What filters an interface has on clsact, in the order in which packets meet them. */
#pragma once

#include "dataplane/bpf/mechanism.h"

#include <stdint.h>

/* Our place among the filters of an interface: the first there is. Whoever sits there and is not
 * ours is left alone. Two handles, since a filter moves to the front by being added once more. */
#define FILTER_PRIORITY 1
#define FILTER_HANDLES  2

/* occupation.before_id where what comes first is no BPF program. */
#define FILTER_OF_OTHER_KIND UINT32_MAX

struct clsact_filters {
	struct occupation occupation;
	uint32_t handle; /* of ours; 0: none is there */
	uint32_t spare;  /* one of ours that nobody uses; 0: others have them */
};

/* The first of our handles. */
uint32_t clsact_handle(const struct hook *hook);
/* How clsact calls the end of the interface that the hook is at. */
uint32_t clsact_parent(const struct hook *hook);
/* An interface without clsact has none. -ENOMEM, or what the kernel says. */
int clsact_filters(const struct hook *hook, struct clsact_filters *ret);
