/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent asks of a data plane. Two exist: bpf/ and nft/. Both give the same verdicts,
 * reasons and flow events for the same IR.
 *
 * A data plane is used from the event loop's thread only. Nothing here logs: failures come back as
 * errors, and what happens later (an interface went away, events were lost) as callbacks.
 */
#pragma once

#include "base/error.h"
#include "base/laps.h"
#include "dataplane/attachment.h"
#include "dataplane/dump.h"
#include "flow/event.h"
#include "flow/sample.h"
#include "policies/ir.h"
#include "policies/model.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct dataplane;

/* One reconcile's wish. Borrowed for the call: a data plane copies what it keeps. */
struct dataplane_state {
	const struct ir *ir;
	const struct model *model;
	const struct attachment *attachments; /* by ifindex, each ifindex once */
	size_t attachments_count;
	struct laps *laps; /* which the data plane ends as it goes; may be NULL */
};

struct dataplane_callbacks {
	/* A flow event or a gap. Borrowed for the call. */
	void (*flow)(const struct flow_event *event, void *userdata);
	/* A packet of which the options want samples, before any flow event of what came after it.
	 * Borrowed for the call. */
	void (*sample)(const struct flow_sample *sample, void *userdata);
	/* Something went wrong behind the agent's back, e.g. a program was detached by someone
	 * else; repaired says whether the data plane has already put it right. */
	void (*trouble)(const char *message, bool repaired, void *userdata);
	void *userdata;
};

#define DATAPLANE_ETHERTYPES 16

struct dataplane_options {
	const char *pin_directory; /* ebpf: on a bpffs; mounted there if it is not. Default
				      /sys/fs/bpf/segd */
	uint64_t adoption_ns;      /* how long mid-stream TCP is taken in after attachment */
	uint16_t nflog_group;      /* nft */
	/* Host byte order; 0: none. What passes besides IP and ARP, unjudged but for its MAC. */
	uint16_t ethertypes[DATAPLANE_ETHERTYPES];
	bool clsact;        /* ebpf: by clsact filters also where the kernel has tcx links */
	bool fast_path;     /* ebpf: established connections between two workloads of this node go
			       straight from the one to the other */
	uint32_t lock_mark; /* ebpf: bits of skb->mark on what leaves workloads; 0: none */
	uint32_t
		share; /* ebpf: connections that one workload may have in the table; 0: a quarter */
	bool tcp_statistics; /* ebpf: ask the sockets of connections, where the kernel lets us */
	uint32_t samples;    /* packets in a second that callbacks.sample may see; 0: none */
	uint32_t sampled_connections; /* begun in a second, besides DNS, whose first are among them
				       */
};

struct dataplane_ops {
	const char *name; /* "ebpf", "nft" */

	bool reaches_inside; /* it can enforce where there is no end of the interface on the node */

	/* NULL: this kernel can; else a static sentence that says what is missing. */
	const char *(*unavailable)(void);

	/*
	 * Takes over what an earlier agent left enforcing, if anything, without a packet judged
	 * otherwise meanwhile. Until the first apply the earlier policy goes on.
	 */
	int (*open)(const struct dataplane_options *options,
		const struct dataplane_callbacks *callbacks, sd_event *event,
		struct dataplane **ret, struct error *error);

	/*
	 * Makes state the truth: attaches, detaches, fills tables, swaps in one step. On failure
	 * the earlier state stays in force, except that attachments which are new in this call are
	 * left as guards (refuse everything). When it returns 0, the next packet obeys the new
	 * policy.
	 */
	int (*apply)(struct dataplane *dataplane, const struct dataplane_state *state,
		struct error *error);

	/* At once and cheaply: refuse everything on a new interface until apply names its workload.
	 * No-op where the interface is attached already. */
	int (*guard)(struct dataplane *dataplane, uint32_t ifindex, const char *name,
		struct error *error);

	/* Reports counters of all connections and denials up to this moment as flow events (UPDATE,
	 * DENIED), so that whoever asks next sees exact totals. */
	int (*collect)(struct dataplane *dataplane, struct error *error);

	/*
	 * How often each rule decided, as the kernel counts it: connections that it allowed and
	 * packets that it refused. A rule that visit does not know (false) is forgotten. NULL: the
	 * agent counts flow events.
	 */
	int (*hits)(struct dataplane *dataplane,
		bool (*visit)(uint32_t rule, uint64_t hits, void *userdata), void *userdata,
		struct error *error);

	/* For status and doctor: {"generation": n, "connections": n, "attached": [{"interface":
	 * "…", "mechanism": "tcx"}], "counters": {"policy_denied": {"packets": n, "bytes": n}},
	 * "losses": {…}, "tables": {"connections": {"used": n, "size": n}}}. New reference. */
	json_t *(*describe)(struct dataplane *dataplane);

	/* One page of a table (dump.h). 1: there is more behind cursor; 0: that was the rest;
	 * -EOPNOTSUPP: this data plane has no such table. */
	int (*dump)(struct dataplane *dataplane, const struct dump *dump,
		struct dump_cursor *cursor, struct error *error);

	/* detach: remove everything from the kernel (uninstall, end of a demo); else leave it
	 * enforcing for the next agent. */
	void (*close)(struct dataplane *dataplane, bool detach);
};

extern const struct dataplane_ops bpf_dataplane_ops;
extern const struct dataplane_ops nft_dataplane_ops;
