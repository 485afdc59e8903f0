/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One random state of the world: who is there, what policy says, and what follows from it. */
#pragma once

#include "base/error.h"
#include "dice.h"
#include "place.h"
#include "policies/document.h"
#include "policies/ir.h"
#include "policies/model.h"

#include <stddef.h>
#include <stdint.h>

struct scenario {
	uint64_t seed;
	struct dice dice; /* for what is drawn next */
	char *text;       /* the documents; what the agent would call its policies and workloads */
	size_t text_size;
	struct document_list documents;
	struct ir_options options;
	struct model *model;
	struct ir *ir;
	int64_t subjects[PLACES]; /* the place as a workload of the model; -1: it is none */
};

/* The same for the same seed. Its text has gone through the parser and the compiler; an error of
 * either is an error. */
int scenario_new(uint64_t seed, struct scenario **ret, struct error *error);
void scenario_free(struct scenario *scenario);

/* The documents and the agent's settings. */
void scenario_print(const struct scenario *scenario, FILE *stream);

static inline void scenario_freep(struct scenario **scenario)
{
	scenario_free(*scenario);
}
