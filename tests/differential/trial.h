/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Models with consecutive seeds, one after the other on one data plane in one network, so that each
 * is also a change from the one before. A trial takes the process for itself: it ends in other
 * namespaces than it began.
 */
#pragma once

#include "dataplane/dataplane.h"
#include "network.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRIAL_FAILED_MAX 4

struct trial {
	const struct dataplane_ops *plane;
	enum topology topology;
	uint64_t first_seed;
	size_t models;
	size_t probes; /* of each model */
	bool quiet;
};

/* What became of it. In memory that the parent process shares: it outlives a crash. */
struct tally {
	bool complete;
	uint64_t seed;      /* under way, or last */
	bool last_differed; /* the model of that seed */
	size_t agreed;      /* models without a difference */
	size_t differed;
	uint64_t failed[TRIAL_FAILED_MAX]; /* seeds of the first that differed */
	uint64_t probes;
	uint64_t refused; /* of these, by the evaluator */
	uint64_t audited;
};

/* Differences go to stdout. An error is one that ends the trial. */
int trial_run(const struct trial *trial, struct tally *tally, struct error *error);
