/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The second lock, beside the eBPF data plane: where someone takes a program off an interface,
 * traffic of that interface stops instead of passing unjudged, whether the agent runs or not. It is
 * a table of nftables (lock_layout.h), so it does not go with what holds the programs: links, pins,
 * the clsact qdisc.
 *
 * - What leaves a workload is dropped in the kernel unless the program there has marked it. Counted
 *   and reported with reason SECOND_LOCK.
 * - What enters one comes by nftables before it comes by the program, so the table cannot ask
 *   whether it was judged. It seals the packet instead, and the program opens it. A sealed packet
 *   is dropped, uncounted, by the workload's own kernel, which finds no IP and no ARP in it; a
 *   packet socket there could still read it.
 *
 * Both from the first packet on. Not covered: interfaces inside workloads (macvlan, ipvlan), types
 * that are let pass unjudged, tags that a packet carries in its payload (QinQ), and what the tc
 * programs of others redirect to the interface, past nftables.
 *
 * Used from the event loop's thread only.
 */
#pragma once

#include "base/error.h"
#include "dataplane/dataplane.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

/* Kubernetes, Calico, Podman and Tailscale use other bits by default. */
#define SECOND_LOCK_MARK 0x00001000U

struct second_lock;

/*
 * Before the data plane is opened. mark: the bits of skb->mark that are ours to set (struct
 * dataplane_options.lock_mark); 0: there is to be no lock. One of an earlier agent goes on if it
 * looks for the same mark, else it is removed. -EOPNOTSUPP: a lock is wanted and the kernel has no
 * nf_tables. Borrows callbacks' contents by copy.
 */
int second_lock_open(uint32_t mark, const struct dataplane_callbacks *callbacks, sd_event *event,
	struct second_lock **ret, struct error *error);

/* Before the data plane lets go of interfaces that are not among these. */
void second_lock_release(
	struct second_lock *lock, const struct attachment *attachments, size_t count);
/* Behind the data plane's apply: its programs are on all of these now. What cannot be locked is
 * told as trouble, and tried again every second. */
void second_lock_apply(
	struct second_lock *lock, const struct attachment *attachments, size_t count);

/* As dataplane_ops.collect. */
int second_lock_collect(struct second_lock *lock, struct error *error);

/* {"mark": "0x1000", "interfaces": n, "open": n (those that it does not cover), "repairs": n,
 * "counters": {…}}, or null where there is none. New reference. */
json_t *second_lock_describe(const struct second_lock *lock);

/* detach: the table goes, too; then it must go before the programs. */
void second_lock_close(struct second_lock *lock, bool detach);
/* What any agent left. 0, also where there is none. */
int second_lock_remove(struct error *error);
