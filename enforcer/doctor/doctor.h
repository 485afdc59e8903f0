/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this node can do, what is attached where, what the data plane in use cannot see here, and
 * what to do about it. It looks and tries, and changes nothing: what the kernel can do is tried in
 * an empty network namespace that goes away with the trial.
 *
 * The same with and without an agent that runs: what only an agent knows comes as its status.
 */
#pragma once

#include "doctor/findings.h"
#include "workload/registry.h"

#include <jansson.h>

struct doctor_view {
	const char *dataplane; /* "ebpf" or "nft": what is in use, or would be */
	const char *pin_directory;
	const char *log_directory;
	const char *docker_socket;        /* NULL: none is wanted */
	const json_t *status;             /* as of GET /v1/status; NULL: no agent runs */
	const struct registry *workloads; /* who runs here, as far as is known */
};

/* Some 100 ms. 0 or -ENOMEM. findings is empty, and is cleared by the caller in any case. */
int doctor_examine(const struct doctor_view *view, struct findings *findings);
