/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which programs an interface has, whoever put them there, in the order in which packets meet
 * them. In the calling thread's network namespace. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOOKS_PROGRAMS_MAX 16

struct hook_program {
	const char *mechanism; /* "tcx", "tc", "XDP" */
	uint32_t id;           /* 0: a tc filter that is no BPF program */
	char name[32];         /* the program's, or the filter's kind */
	bool ours;
};

/* Beyond HOOKS_PROGRAMS_MAX nothing is told. */
struct hook_programs {
	struct hook_program items[HOOKS_PROGRAMS_MAX];
	size_t count;
};

/* What comes in at this end of the interface, or goes out there: tcx programs, then tc's filters. 0
 * or -errno: some could not be read. */
int hooks_list(uint32_t ifindex, bool comes_in, struct hook_programs *ret);
/* 1 where there is an XDP program, 0 where there is none, -errno. */
int hooks_xdp(uint32_t ifindex, struct hook_program *ret);
/* Of ours among them; count: none. */
size_t hooks_ours(const struct hook_programs *programs);
