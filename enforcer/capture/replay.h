/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A capture file read back through policy: the flow records that an agent would have written, had
 * it seen these packets under these policies. No agent, no root, no clock: time is that of the
 * packets.
 *
 * pcap and pcapng (libpcap reads both), of Ethernet, Linux "any" captures and raw IP. Connections
 * that no Pod, workload or node of the model has an end of are passed over, as an agent does not
 * see them.
 */
#pragma once

#include "base/error.h"
#include "policies/ir.h"
#include "policies/model.h"
#include "xdp/connection_times.h"

#include <jansson.h>
#include <stdint.h>

#define REPLAY_ADOPTION_NS CONNECTION_ADOPTION_NS

struct replay_options {
	const struct ir *ir;
	const struct model *model;
	const char *node;     /* name of the node in records */
	uint64_t adoption_ns; /* as in judge.h; segd's default: REPLAY_ADOPTION_NS */
	/* One record after the other in the order of time; the callee keeps nothing of it without a
	 * reference. */
	void (*record)(json_t *record, void *userdata);
	void *userdata;
};

struct replay_counts {
	uint64_t packets;
	uint64_t refused;
	uint64_t unconcerned; /* of nobody in the model */
	uint64_t cut;         /* captured without all of their headers */
	uint64_t evicted;     /* connections that were forgotten to make room */
};

/* path: "-": standard input. *ret also counts what came before an error. -EPROTONOSUPPORT: packets
 * that begin with something else; else what libpcap says is wrong with the file. */
int replay_file(const char *path, const struct replay_options *options, struct replay_counts *ret,
	struct error *error);
