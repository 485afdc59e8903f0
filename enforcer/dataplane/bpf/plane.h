/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the eBPF data plane consists of. Private to it and to its tests. */
#pragma once

#include "dataplane/bpf/denials.h"
#include "dataplane/bpf/events.h"
#include "dataplane/bpf/generation.h"
#include "dataplane/bpf/hook_watch.h"
#include "dataplane/bpf/interfaces.h"
#include "dataplane/bpf/objects.h"
#include "dataplane/bpf/pins.h"
#include "dataplane/bpf/report.h"
#include "dataplane/bpf/samples.h"
#include "dataplane/bpf/sweep.h"
#include "dataplane/bpf/tcp_sockets.h"
#include "dataplane/dataplane.h"

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct dataplane {
	struct dataplane_callbacks callbacks;
	struct pins pins;
	struct objects objects;
	struct interfaces interfaces;
	struct hook_watch watch;
	struct generations generations;
	struct report report;
	struct events events;
	struct samples samples;
	struct tcp_sockets tcp_sockets;
	struct sweep sweep;
	struct denials denials;
	sd_event *event;
	sd_event_source *tick;     /* every second */
	sd_event_source *collect;  /* once, soon after a hint at new denials */
	sd_event_source *clean_up; /* once, soon after an apply */
	uint64_t collect_cost_ns;  /* what the last collection took */
	bool ticking_fails;        /* and trouble was told */
	bool tidy;                 /* no pins but ours are left */
};

/* Ways that a kernel or an earlier agent may go, for tests to walk on any kernel. */
struct bpf_dataplane_overrides {
	bool force_clsact;
	uint32_t abi_version; /* 0: ABI_VERSION */
};

extern struct bpf_dataplane_overrides bpf_dataplane_overrides;

/* describe.c */
json_t *bpf_dataplane_describe(struct dataplane *dataplane);
