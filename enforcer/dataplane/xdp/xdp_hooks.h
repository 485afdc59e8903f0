/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the programs of early dropping are: links, pinned as PINS/links/<ifindex>-<how>, so that
 * they stay when the agent goes and their programs are exchanged in one step. Where the kernel has
 * no tcx links, tc programs are clsact filters, noted as PINS/filters/<ifindex>-<how>.
 */
#pragma once

#include "base/error.h"
#include "base/hash.h"
#include "dataplane/bpf/mechanism.h"
#include "dataplane/bpf/pins.h"
#include "dataplane/xdp/xdp_objects.h"

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

enum xdp_side {
	XDP_SIDE_IN, /* by XDP, else by tc */
	XDP_SIDE_OUT /* by tc */
};

/*
 * In the order in which they are tried. No generic XDP: it copies most packets to make room before
 * them, so tc is cheaper, and on Linux 6.18 tc programs behind it see such copies without their
 * Ethernet header, so that the data plane would refuse them.
 */
enum xdp_mechanism {
	XDP_NATIVE,
	XDP_TC,
	XDP_LEAVE,
	XDP_MECHANISMS
};

const char *xdp_mechanism_name(enum xdp_mechanism mechanism); /* "native", "tc", "out" */

struct xdp_hook {
	struct {
		uint32_t ifindex;
		uint32_t side; /* enum xdp_side */
	} key;
	char name[IF_NAMESIZE];
	enum xdp_mechanism mechanism;
	const struct mechanism *tc; /* how a tc program is tied there; NULL: by an XDP link */
	int fd;                     /* of what is pinned: the link; clsact: the program */
	bool wanted;
	UT_hash_handle hh;
};

struct xdp_hooks {
	struct xdp_hook *items;
	const struct pins *pins;
	const struct mechanism *tc; /* to tie tc programs by; without tcx it becomes clsact */
};

/* Takes over what is pinned and still holds; the programs stay until xdp_hooks_exchange(). */
int xdp_hooks_adopt(struct xdp_hooks *hooks, struct error *error);
void xdp_hooks_clear(struct xdp_hooks *hooks);
struct xdp_hook *xdp_hooks_find(
	const struct xdp_hooks *hooks, uint32_t ifindex, enum xdp_side side);
/* Puts our program on, with first as the first way to try. Foreign programs are left alone:
 * *ret_foreign says that one kept us from XDP. -ENODEV: no such interface; what the kernel says. */
int xdp_hooks_attach(struct xdp_hooks *hooks, const struct xdp_objects *objects, uint32_t ifindex,
	const char *name, enum xdp_side side, enum xdp_mechanism first, struct xdp_hook **ret,
	bool *ret_foreign, struct error *error);
/* Our program in the place of whichever is there. */
int xdp_hooks_exchange(const struct xdp_hooks *hooks, struct xdp_hook *hook,
	const struct xdp_objects *objects, struct error *error);
/* Whether a program of ours is still tied to the interface. */
bool xdp_hook_holds(const struct xdp_hook *hook);
/* Whether it comes before everybody else's. */
bool xdp_hook_is_first(const struct xdp_hook *hook);
/* Detaches, unpins and forgets. */
int xdp_hooks_drop(struct xdp_hooks *hooks, struct xdp_hook *hook, struct error *error);
