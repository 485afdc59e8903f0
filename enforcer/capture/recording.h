/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Judged packets as a pcapng stream: an interface for each workload's, the verdict as a comment. */
#pragma once

#include "base/error.h"
#include "capture/judge.h"
#include "capture/packet.h"
#include "capture/pcapng.h"
#include "capture/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum capture_end {
	CAPTURE_TIME,  /* its duration is over */
	CAPTURE_BYTES, /* the stream has as many as it may */
	CAPTURE_FAILED /* as its error says */
};

struct capture_sink {
	/* Whole blocks. false: there is no room, and bytes are lost: the capture counts that. */
	bool (*write)(const char *bytes, size_t length, void *userdata);
	/* It is over, and has written its last block. error: why it failed; NULL otherwise. The
	 * receiver frees it, now or later. */
	void (*ended)(enum capture_end why, const struct error *error, void *userdata);
	void *userdata;
};

struct capture_counts {
	uint64_t packets; /* written */
	uint64_t bytes;   /* of the stream */
	uint64_t dropped; /* by the kernel, since the agent was too slow */
	uint64_t dropped_by_reader;
	uint64_t untapped; /* interfaces inside workloads, for which there was no room */
};

struct recording {
	struct capture_sink sink;
	uint32_t snap_bytes; /* of each packet */
	uint64_t bytes_max;  /* 0: no bound */
	struct capture_counts counts;
	struct writer block;
	uint32_t *interfaces; /* view_interface.number of those that the stream has described */
	size_t interfaces_count;
};

/* Of each block. RECORDING_WRITTEN, too, where there was nothing to write. */
enum recording_result {
	RECORDING_WRITTEN,
	RECORDING_LOST, /* the reader is too slow; of packets, counted */
	RECORDING_FULL  /* it would have been beyond bytes_max, with room kept for the last block */
};

/* The first block. */
enum recording_result recording_begin(struct recording *recording);
/* Before its first packet, so that a capture without packets is a valid one, too. */
enum recording_result recording_describe(
	struct recording *recording, const struct view_interface *interface);
/* interface: NULL: not known. is_outgoing: the stack of its namespace sent it. */
enum recording_result recording_packet(struct recording *recording,
	const struct view_interface *interface, bool is_outgoing,
	const struct capture_packet *packet, const struct judgement *judgement);
/* The counts so far; nothing before an interface is described. is_last: nothing comes behind it. */
enum recording_result recording_statistics(struct recording *recording, bool is_last);
void recording_clear(struct recording *recording);
