/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What several commands print in the same way. */
#pragma once

#include "settings.h"

#include <jansson.h>
#include <stdio.h>

/* Sends what was printed on its way. Where it cannot be written, that is the end of the program,
 * with a message. */
void output_flush(void);

/* Indented, in the agent's order, with a newline. In ASCII: JSON leaves C1 as it is, some of which
 * drives terminals. */
void output_json(const json_t *value);
/* The same on one line. */
void output_json_line(const json_t *value);

/* Free of control characters: what a workload calls itself must not drive the terminal. */
void output_text(const char *text);

/* "  labels      app=db": one property of what a command describes. Nothing where text is empty. */
void output_property(const char *name, const char *text);
/* The same; text is taken. */
void output_property_take(const char *name, char *text);

/* A heading between tables. */
void output_heading(const struct settings *settings, const char *text);

/* "3 policies", "1 policy"; irregular plurals are given. New string. */
char *output_plural(double count, const char *one, const char *many);

/* "→" or "->" as the terminal can. */
const char *output_arrow(void);
