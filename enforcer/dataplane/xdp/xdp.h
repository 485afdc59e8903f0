/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Early dropping: what should die before the node's stack works for it, by XDP programs that work
 * with either data plane and are on an interface only while there is something to drop there:
 *
 *   quarantine   what quarantined workloads send, but to investigators
 *   deny lists   by an uplink: from listed sources and to listed destinations
 *   limit        new connections of each source, by an uplink and from workloads
 *
 * Wishes are recorded and take effect with xdp_apply(), so that an agent which takes over tells all
 * of them first and nothing pauses. In the kernel they outlive the agent: until the first
 * xdp_apply() everything is as the former one left it, and a quarantine stays until the first
 * xdp_quarantine_set().
 *
 * Used from the event loop's thread only; nothing here logs.
 */
#pragma once

#include "base/address.h"
#include "base/error.h"
#include "dataplane/dataplane.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct xdp;

struct xdp_options {
	const char *pin_directory;     /* of the agent; early dropping pins in its xdp/ */
	const char *const *deny_lists; /* files; borrowed for as long as the xdp lives */
	size_t deny_lists_count;
	/* New connections a second of each source (TCP SYN, SCTP INIT; an IPv4 address or an IPv6
	 * /64), as many at once; 0: no limit. */
	uint32_t uplink_limit;
	uint32_t workload_limit;
	bool clsact; /* tc programs by clsact filters, even where tcx links are there */
};

struct xdp_interface {
	uint32_t ifindex;
	char name[16];
	bool veth; /* native XDP would cost its peer segmentation offload */
};

struct xdp_quarantine {
	const struct xdp_interface *interfaces; /* host sides of the workloads' veths */
	size_t interfaces_count;
	const struct prefix *investigators; /* may be sent to */
	size_t investigators_count;
	const struct address *neighbours; /* may be asked for by ARP and neighbour discovery, such
					     as the node's own, to reach investigators behind it */
	size_t neighbours_count;
};

/* Takes over what an earlier agent left, if anything. Costs nothing while there is no wish. Of
 * callbacks flow (refusals, as DENIED events) and trouble are called. */
int xdp_new(const struct xdp_options *options, const struct dataplane_callbacks *callbacks,
	sd_event *event, struct xdp **ret, struct error *error);
/* detach: takes everything out of the kernel; else it stays for the next agent. */
void xdp_close(struct xdp *xdp, bool detach);

/* Wishes; what is passed is copied. 0 or -ENOMEM. */
int xdp_uplinks_set(struct xdp *xdp, const struct xdp_interface *uplinks, size_t count);
int xdp_workloads_set(struct xdp *xdp, const struct xdp_interface *workloads, size_t count);

/*
 * Reads all files anew and puts them in the place of what is in force, in one step. On failure
 * (every mistake as file:line) the former lists stay. Attachment follows with xdp_apply().
 */
int xdp_deny_lists_load(struct xdp *xdp, struct error *error);
/* The same, but the files are read in a thread. Unless this fails (-EBUSY: one runs already), done
 * is called once, from the event loop, with what xdp_deny_lists_load() would have returned; but not
 * any more once xdp_close() was called. */
typedef void (*xdp_deny_lists_fn)(int r, const struct error *error, void *userdata);
int xdp_deny_lists_reload(
	struct xdp *xdp, xdp_deny_lists_fn done, void *userdata, struct error *error);
/* Why the files are not in force as they are; NULL: they are. Until the next load. */
const char *xdp_deny_lists_problem(const struct xdp *xdp);

/* This set and no other, at once: quarantined interfaces that are not in it are set free. On
 * failure what is in force is between the former set and this one. */
int xdp_quarantine_set(
	struct xdp *xdp, const struct xdp_quarantine *quarantine, struct error *error);

/* Attaches what has a job, detaches what has none. Goes on over interfaces that fail, reports each
 * as trouble, once, and tries again every second. */
int xdp_apply(struct xdp *xdp, struct error *error);

/* Reports refusals up to this moment. */
int xdp_collect(struct xdp *xdp, struct error *error);

/* Investigators and deny ranges, page by page: as dataplane_ops.dump. */
int xdp_dump(
	struct xdp *xdp, const struct dump *dump, struct dump_cursor *cursor, struct error *error);

/* {"interfaces": [{"interface", "ifindex", "mechanism": "native|tc|out", "jobs": [...]}],
 * "deny_lists": {"files": [{"file", "prefixes"}], "prefixes": n, "ranges": n, "loaded": seconds
 * since the epoch, "milliseconds": n, "error": null|"…"}, "quarantined": n, "counters": {…},
 * "losses": n}; counters as those of a data plane. New reference. */
json_t *xdp_describe(struct xdp *xdp);
