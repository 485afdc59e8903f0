/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the doctor has found: one sentence what is, one what to do about it. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum finding_level {
	FINDING_OK,
	FINDING_NOTE,    /* good to know; nothing is wrong */
	FINDING_WARNING, /* something is not enforced, not seen, or about to fail */
	FINDING_ERROR,   /* what was asked for is not there */
	FINDING_LEVELS
};

const char *finding_level_name(enum finding_level level); /* "ok", "note", "warning", "error" */

struct findings {
	json_t *list;     /* NULL: out of memory */
	const char *area; /* static: what findings are about from now on */
	size_t counts[FINDING_LEVELS];
};

int findings_init(struct findings *findings);
void findings_clear(struct findings *findings);

/* check: a word that scripts may look for, static. advice: what to do, or NULL. What it says is
 * from format. */
void findings_add(struct findings *findings, enum finding_level level, const char *check,
	const char *advice, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Advice with names in it, for the last finding. */
void findings_advise(struct findings *findings, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* {"version", "healthy": bool, "findings": [{"level", "area", "check", "what", "advice"|null}],
 * "counts": {"ok": n, …}}: healthy where there is neither a warning nor an error. New reference;
 * NULL: out of memory. */
json_t *findings_to_json(const struct findings *findings);

#define _cleanup_findings_ __attribute__((cleanup(findings_clear)))
