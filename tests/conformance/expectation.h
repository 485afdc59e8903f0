/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a step expects: tables of pods, tables of addresses outside, single flows. */
#pragma once

#include "matrix.h"
#include "tally.h"

#include <stdbool.h>
#include <stdio.h>

/* Puts the probes and the addresses outside that the step needs into two objects, as keys.
 * -EINVAL: the step is malformed or expects nothing. */
int expectation_needs(const json_t *step, json_t *probes, json_t *external, struct error *error);

struct comparison {
	const struct matrix *matrix;
	const char *place; /* "gen-001 step 1": in front of each difference */
	bool doubtful;
	struct tally *tally;
	FILE *report;
	size_t *differences_left; /* to print; more are only counted */
};

/* -EINVAL: the step is malformed. Differences are no error. */
int expectation_compare(
	const struct comparison *comparison, const json_t *step, struct error *error);
