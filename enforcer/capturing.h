/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packet captures of this agent: what capture/ wants to know of the node, and captures into files.
 */
#pragma once

#include "agent.h"
#include "capture/capture.h"

#include <stdint.h>

/* Borrows the agent. */
struct capture_world capturing_world(struct agent *agent);

#define CAPTURING_TOTAL_BYTES (256ULL << 20) /* of all files together; the oldest make room */

/*
 * Captures what a workload ("namespace/name") sends and gets into a file of its own in the state
 * directory's folder "captures", without anybody who reads along: for what raises an alert. It goes
 * on by itself until seconds or bytes are over. The file is complete up to the last packet at any
 * time. *ret_path: its name, for the alert; owned by the caller. -EBUSY: too many captures run.
 */
int capturing_start(struct agent *agent, const char *workload, unsigned int seconds, uint64_t bytes,
	char **ret_path, struct error *error);
/* The same for whatever is to be captured; wish->duration_ns and bytes_max are set. */
int capturing_start_wish(
	struct agent *agent, const struct capture_wish *wish, char **ret_path, struct error *error);
/* Ends those that capturing_start() began. */
void capturing_stop(struct agent *agent);
