/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One case, put to segctl step by step. */
#pragma once

#include "corpus.h"
#include "tally.h"

#include <stdio.h>

enum trial_result {
	TRIAL_PASSED,
	TRIAL_FAILED,
	TRIAL_SKIPPED, /* nothing in it can be compared */
	TRIAL_RESULT_COUNT
};

struct trial {
	const struct corpus *corpus;
	const struct corpus_case *test;
	const char *segctl;
	enum trial_result result;
	struct tally tally;
	size_t steps; /* that were judged, each way of a step counts */
	char *report; /* differences, a line each; owned */
};

/*
 * Each step is judged in up to two ways against the same expectations: as the corpus lists what is
 * in force, and, where the steps have actions, as it comes out of replaying these from the initial
 * cluster on (objects in the order of their making, default policyTypes implied).
 */
void trial_run(struct trial *trial);
/* Writes the documents of each step and way to the stream instead. 0 or a negative errno. */
int trial_print(const struct trial *trial, FILE *stream, struct error *error);
void trial_clear(struct trial *trial);
