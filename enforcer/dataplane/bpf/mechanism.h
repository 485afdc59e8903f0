/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a program is tied to an interface. tcx links where the kernel has them (6.6): they pin, so
 * the program stays when the agent goes, and their program is exchanged atomically. Else a filter
 * on clsact, which stays by itself; its program is pinned, too, as a note that we have put it
 * there.
 *
 * Ours comes first on its hook (but for those of early dropping). Any verdict but "next" ends the
 * walk through the programs, so one before ours that says "pass" would let everything by us.
 */
#pragma once

#include "xdp/abi.h"

#include <stdbool.h>
#include <stdint.h>

struct hook {
	uint32_t ifindex;             /* in the calling thread's network namespace */
	enum abi_direction direction; /* seen from the workload: ABI_EGRESS leaves it */
	bool inside; /* the interface is the workload's own: what it sends goes out there */
	bool early;  /* for a program of early dropping, which comes before the data plane's own and
			asks for the next where it does not refuse */
};

/* What is on a hook. */
struct occupation {
	uint32_t program_id; /* of ours; 0: none of ours is there */
	uint32_t before_id;  /* of somebody's program that runs before ours; 0: ours is first. Early
				dropping is nobody to the data plane, but not the other way round */
};

struct mechanism {
	const char *name;  /* "tcx", "clsact" */
	const char *part;  /* where it pins, below the pin directory */
	unsigned int cost; /* of a query, in units of about a microsecond */

	/* Attaches, before all others, and pins at path. -EOPNOTSUPP: this kernel has no such
	 * thing; -ENODEV: no such interface; -EBUSY: someone else has our place. *ret_fd is what is
	 * pinned. */
	int (*attach)(const struct hook *hook, int program, const char *path, int *ret_fd);
	/* Puts program in the place of the one that is there; never leaves none. */
	int (*exchange)(const struct hook *hook, int program, const char *path, int *fd);
	/* Before all others again; never leaves none: where it must, hold (a program that refuses
	 * all) stands in meanwhile. */
	int (*advance)(const struct hook *hook, int program, int hold, const char *path, int *fd);
	/* fd: what was pinned. hook->ifindex 0: wherever that is, if the mechanism can tell, and
	 * nothing of others is looked for. */
	int (*query)(const struct hook *hook, int fd, struct occupation *ret);
	/* Detaches and removes the pin. Nothing attached: 0. */
	int (*detach)(const struct hook *hook, const char *path);
};

extern const struct mechanism tcx_mechanism;
extern const struct mechanism clsact_mechanism;
