/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `segctl policy matrix -o json`, asked once a step, and its answers by probe and pair. */
#pragma once

#include "base/error.h"

#include <jansson.h>
#include <stddef.h>

enum matrix_answer {
	ANSWER_NONE, /* the pair is not in the matrix */
	ANSWER_ALLOW,
	ANSWER_DENY,
	ANSWER_UNRESOLVED, /* the destination has no port of this name */
	ANSWER_MIXED,      /* address families differ */
};

enum matrix_aspect {
	ASPECT_VERDICT,
	ASPECT_EGRESS,
	ASPECT_INGRESS,
	ASPECT_COUNT
};

struct matrix_cell {
	enum matrix_answer answers[ASPECT_COUNT];
};

struct matrix;

/* documents: a descriptor of a file with what -f takes. probes ("TCP/80") and external (addresses)
 * are the keys of objects. -EINVAL: segctl refused; error holds what it printed. */
int matrix_run(const char *segctl, int documents, const json_t *probes, const json_t *external,
	struct matrix **ret, struct error *error);

/* Numbers to ask by; -1: the matrix does not have it. Ends are "namespace/pod" or an address. */
long matrix_probe(const struct matrix *matrix, const char *probe);
long matrix_end(const struct matrix *matrix, const char *end);
/* All ANSWER_NONE where a number is -1. */
struct matrix_cell matrix_cell(const struct matrix *matrix, long probe, long from, long to);
const char *matrix_answer_name(enum matrix_answer answer);

void matrix_free(struct matrix *matrix);
