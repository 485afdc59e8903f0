/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is wrong with a policy file, where, and what was expected. A parse collects all mistakes of
 * all its files; it never stops at the first.
 */
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <stdio.h>

enum diagnostic_severity {
	DIAGNOSTIC_ERROR,
	DIAGNOSTIC_WARNING
};

/* Lines and columns count from 1; columns count characters (UTF-8), not bytes. 0: the whole file.
 */
struct location {
	const char *file; /* borrowed, except in a struct diagnostic: that has its own copy */
	unsigned int line;
	unsigned int column;
};

struct diagnostic {
	enum diagnostic_severity severity;
	const char *code; /* stable, kebab-case: "unknown-field"; static */
	struct location location;
	char *message; /* what is wrong, what was expected */
};

struct diagnostics {
	struct diagnostic *items;
	size_t count;
	size_t errors;  /* how many of them are errors */
	size_t omitted; /* turned away beyond DIAGNOSTICS_MAX */
};

#define DIAGNOSTICS_MAX 1000

#define DIAGNOSTICS_INIT      \
	{                     \
		NULL, 0, 0, 0 \
	}

/* Running out of memory counts as omitted, and an error stays an error: errors is always right. */
void diagnostics_add(struct diagnostics *diagnostics, enum diagnostic_severity severity,
	const char *code, struct location location, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* By file, line, column. */
void diagnostics_sort(struct diagnostics *diagnostics);

/* "file:line:column: error: message [code]", one a line. */
void diagnostics_print(const struct diagnostics *diagnostics, FILE *stream);

/* All of them as one message. Returns -EINVAL, or -ENOMEM. */
int diagnostics_to_error(const struct diagnostics *diagnostics, struct error *error);
void diagnostics_clear(struct diagnostics *diagnostics);
