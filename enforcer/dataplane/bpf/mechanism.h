/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a program is tied to an interface. tcx links where the kernel has them (6.6): they pin, so
 * the program stays when the agent goes, and their program is exchanged atomically. Else a filter
 * on clsact, which stays by itself; its program is pinned, too, as a note that we have put it
 * there.
 */
#pragma once

#include "xdp/abi.h"

#include <stdbool.h>
#include <stdint.h>

struct hook {
	uint32_t ifindex;
	enum abi_direction direction; /* seen from the workload: ABI_EGRESS leaves it */
};

struct mechanism {
	const char *name; /* "tcx", "clsact" */
	const char *part; /* where it pins, below the pin directory */

	/* Attaches and pins at path. -EOPNOTSUPP: this kernel has no such thing; -ENODEV: no such
	 * interface; -EBUSY: someone else has our place. *ret_fd is what is pinned. */
	int (*attach)(const struct hook *hook, int program, const char *path, int *ret_fd);
	/* Puts program in the place of the one that is there; never leaves none. */
	int (*exchange)(const struct hook *hook, int program, const char *path, int *fd);
	/* The id of the program that is attached; 0: none of ours is. fd: what was pinned. */
	int (*query)(const struct hook *hook, int fd, uint32_t *ret_program_id);
	/* Detaches and removes the pin. Nothing attached: 0. */
	int (*detach)(const struct hook *hook, const char *path);
};

extern const struct mechanism tcx_mechanism;
extern const struct mechanism clsact_mechanism;
