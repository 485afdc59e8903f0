/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The programs of early dropping, loaded unpinned, with tables filled by hand and frames sent
 * through BPF_PROG_TEST_RUN: the same test for the XDP program and for the tc programs that stand
 * in for it. Needs root; lives in its own network namespace.
 */
#pragma once

#include "frame.h"
#include "xdp/abi.h"
#include "xdp/reasons.h"

#include <stdbool.h>
#include <stdint.h>

/* cmocka's own order of includes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum early_way {
	EARLY_XDP,
	EARLY_TC,
	EARLY_LEAVE
};

struct segd_xdp_bpf;

struct early_world {
	struct segd_xdp_bpf *skeleton;
	enum early_way way;
	bool ipv6;           /* which addresses the ends have */
	uint32_t ifindex;    /* where frames come in, and go out */
	struct end near;     /* the workload, or this node */
	struct end far;      /* whom it talks to */
	struct end listed;   /* for deny lists */
	struct end guardian; /* for investigators */
};

/* The same test for both programs that see what comes in, and for both families. */
#define EARLY_IPV4(test)                                                   \
	{#test " (XDP, IPv4)", test, early_setup_xdp_ipv4, NULL, NULL},    \
	{                                                                  \
#test " (tc, IPv4)", test, early_setup_tc_ipv4, NULL, NULL \
	}
#define EARLY_IPV6(test)                                                   \
	{#test " (XDP, IPv6)", test, early_setup_xdp_ipv6, NULL, NULL},    \
	{                                                                  \
#test " (tc, IPv6)", test, early_setup_tc_ipv6, NULL, NULL \
	}
#define EARLY_ALL(test) EARLY_IPV4(test), EARLY_IPV6(test)

int early_group_setup(void **state);
int early_group_teardown(void **state);
int early_setup_xdp_ipv4(void **state);
int early_setup_xdp_ipv6(void **state);
int early_setup_tc_ipv4(void **state);
int early_setup_tc_ipv6(void **state);
/* A skip that says why, where there is no root. */
int early_main(const struct CMUnitTest *tests, size_t count, const char *name);

/* What the interface is to do; hook as in abi.h. No jobs: it is not in the table. */
void early_jobs(struct early_world *world, uint32_t jobs, enum abi_direction hook);
void early_limit(struct early_world *world, uint64_t interval_ns, uint64_t burst_ns);
/* These prefixes, and no others. */
void early_list(struct early_world *world, const char *const *prefixes, size_t count);
/* flags: ABI_INVESTIGATOR_* */
void early_investigator(struct early_world *world, const char *prefix, uint32_t flags);

/* TCP SYN. */
struct frame_description early_syn(const struct end *from, const struct end *to);

/* By the program that setup has chosen; way in world may be changed. */
bool early_passes(struct early_world *world, const struct frame *frame);
void early_expect_pass(struct early_world *world, const struct frame_description *description);
/* Refused for that reason, and counted in packets and bytes. */
void early_expect_refused(
	struct early_world *world, const struct frame_description *description, enum reason reason);

/* Of all CPUs and both directions. */
struct abi_counter early_counter(const struct early_world *world, enum reason reason);
/* The only entry with this reason. */
void early_denial(const struct early_world *world, enum reason reason,
	struct abi_denial_key *ret_key, struct abi_denial *ret);
