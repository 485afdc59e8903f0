/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the counting sets of a table of family netdev have, as events and as sums. */
#pragma once

#include "dataplane/dataplane.h"
#include "dataplane/nft/device_layout.h"

#include <libmnl/libmnl.h>

struct device_refusals;

#define DEVICE_REFUSALS_MAX DEVICE_REASONS

/* The sets are named as their reasons, count (to DEVICE_REFUSALS_MAX) of them. Borrows table and
 * reasons for its life. 0 or -ENOMEM. */
int device_refusals_new(
	const char *table, const enum reason *reasons, size_t count, struct device_refusals **ret);
void device_refusals_free(struct device_refusals *refusals);

/* Who is behind an interface, for the events; not forgotten with it, since its last refusals are
 * read later, but once many are gone. 0 or -ENOMEM. */
int device_refusals_name(struct device_refusals *refusals, const struct attachment *attachment);

/* Interfaces that are remembered. */
size_t device_refusals_count(const struct device_refusals *refusals);

/* Takes the kernel's counts. callbacks: reports what is new; NULL: leaves that to the next call. */
int device_refusals_read(struct device_refusals *refusals, struct mnl_socket *socket,
	const struct dataplane_callbacks *callbacks);
/* As last read, of the reason at i. */
void device_refusals_sum(const struct device_refusals *refusals, size_t i, uint64_t *ret_packets,
	uint64_t *ret_bytes);
