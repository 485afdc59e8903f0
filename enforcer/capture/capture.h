/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A live capture: packets of workloads, of a pair, on a port, or all that are refused, each once
 * and with the verdict that it gets, as a stream in the pcapng format. Bounded in time, bytes and
 * memory; what was missed is counted in the stream.
 *
 * Nothing here knows the agent. What it asks of the node comes through struct capture_world.
 */
#pragma once

#include "base/error.h"
#include "capture/filter_program.h"
#include "capture/judge.h"
#include "capture/limits.h"
#include "capture/recording.h"
#include "capture/scope.h"
#include "capture/view.h"

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct capture_wish {
	/* Workloads ("shop/api", "api") or addresses; NULL: anybody. */
	const char *ends[2];
	struct scope scope;
	struct bpf_program filter; /* borrowed for the call; no instructions: none */
	uint32_t snap_bytes;       /* of each packet; 0: CAPTURE_SNAP_MAX */
	uint64_t bytes_max;        /* of the stream; 0: no bound */
	uint64_t duration_ns;      /* 0: CAPTURE_DURATION_MAX_S */
};

struct capture_world {
	/* Makes a finished view for the ends, with the names that it found. -ENOENT: no such
	 * workload; -EEXIST: several. */
	int (*view)(const char *const ends[static 2], struct view *ret, void *userdata,
		struct error *error);
	/* Another number when view() would say something else. */
	uint64_t (*changes)(void *userdata);
	/* What is in force; *ret_generation is another number for another policy. */
	const struct ir *(*policy)(uint64_t *ret_generation, void *userdata);
	/* Calls add for connections that stand, ends as the originator sends. 1: these are not all;
	 * 0; or an error. */
	int (*connections)(
		void (*add)(const struct packet_ends *ends, uint64_t last_ns, void *capture),
		void *capture, void *userdata, struct error *error);
	uint64_t adopts_until_ns;   /* it takes in connections that are older than itself;
				     * CLOCK_REALTIME */
	const uint16_t *ethertypes; /* JUDGE_ETHERTYPES; NULL: none */
	void *userdata;
};

struct capture;

/* Copies what it keeps. The sink is called by capture_begin() and from the event loop.
 * -EBUSY: CAPTURES_MAX are running; errors of world->view(). */
int capture_new(const struct capture_wish *wish, const struct capture_world *world,
	const struct capture_sink *sink, sd_event *event, struct capture **ret,
	struct error *error);
/* Writes the first blocks. To be called before the event loop runs again. false: there is no room
 * for them, and the capture ends. */
bool capture_begin(struct capture *capture);
void capture_free(struct capture *capture);
struct capture_counts capture_counts(struct capture *capture);
unsigned int captures_running(void);

static inline void capture_freep(struct capture **capture)
{
	capture_free(*capture);
}
