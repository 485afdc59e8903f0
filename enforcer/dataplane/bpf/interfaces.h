/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interfaces that our programs are on, with what the kernel is told about each. */
#pragma once

#include "base/error.h"
#include "base/hash.h"
#include "dataplane/attachment.h"
#include "dataplane/bpf/mechanism.h"
#include "dataplane/bpf/objects.h"
#include "dataplane/bpf/pins.h"
#include "xdp/abi.h"

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct interface {
	uint32_t ifindex; /* or the number of one inside: network_namespace_is_interface() */
	char name[IF_NAMESIZE];
	char *netns;                       /* inside: where; NULL: on the node, or not known yet */
	uint32_t inside;                   /* its index there */
	const struct mechanism *mechanism; /* NULL: not attached yet */
	int fds[ABI_DIRECTIONS];           /* what is pinned; -1: nothing */
	struct abi_endpoint endpoint;      /* as it is in the map */
	bool known;                        /* the map has it */
	bool waiting;  /* guarded before any apply named it: stays until one does */
	bool carried;  /* its connections began under programs with other maps */
	bool deferred; /* ran without us and shall not pause: attached behind the flip */
	bool moved;    /* to another network namespace, where it is refused everything */
	bool wanted;   /* by the apply that is under way */
	bool whole;    /* had its programs when last looked at, and nothing was heard since */
	UT_hash_handle hh;
};

struct interfaces {
	struct interface *items;
	const struct pins *pins;
	const struct objects *objects;
	const struct mechanism *preferred;
	bool outdated; /* programs of an earlier agent with other maps are still attached */
};

/* Takes over what is pinned: removes what belongs to interfaces that are gone. Where the maps are
 * already filled, all get the new programs at once; else they go on with the old ones
 * (outdated). */
int interfaces_adopt(struct interfaces *interfaces, struct error *error);
/* The new programs on all of them. */
int interfaces_exchange(struct interfaces *interfaces, struct error *error);
void interfaces_clear(struct interfaces *interfaces);

struct interface *interfaces_find(const struct interfaces *interfaces, uint32_t ifindex);
/* Finds or makes the record alone. 0 or -ENOMEM. */
int interfaces_add(struct interfaces *interfaces, uint32_t ifindex, struct interface **ret);

/* Refuses everything on an interface that is not attached yet: first its guard in the table, then
 * the programs. Does nothing where they are, and asks the kernel only where that is not known.
 * -ENODEV: there is no such interface (any more); -ENOMEM; what the kernel says. */
int interfaces_ensure(struct interfaces *interfaces, const struct attachment *attachment,
	struct interface **ret, struct error *error);
/* Attaching a tcx link waits for a grace period, so with many workloads a guard would cut off for
 * seconds those that ran before we came. They are only noted here (deferred) and get the programs
 * by interfaces_attach() when policy knows them. Attached ones are as by interfaces_ensure(). */
int interfaces_note(struct interfaces *interfaces, const struct attachment *attachment,
	struct interface **ret, struct error *error);
/* Refuses everything on an interface that was only noted. Errors as of interfaces_ensure(). */
int interfaces_guard(
	struct interfaces *interfaces, struct interface *interface, struct error *error);
/* Puts the programs on the hooks that have none. Errors as of interfaces_ensure(). */
int interfaces_attach(
	struct interfaces *interfaces, struct interface *interface, struct error *error);
/* Tells the kernel what this endpoint is. */
int interface_set(const struct interfaces *interfaces, struct interface *interface,
	const struct abi_endpoint *endpoint, struct error *error);
/* Detaches and forgets. One that is on the node no more, but not gone either, was moved to another
 * network namespace: it keeps the programs, which refuse everything there. */
int interfaces_drop(
	struct interfaces *interfaces, struct interface *interface, struct error *error);
