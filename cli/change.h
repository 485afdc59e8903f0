/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One change that the agent is asked for, and what came of it. */
#pragma once

#include "settings.h"

#include <jansson.h>

/* Sends wish (NULL: none) and prints the answer, by print or as JSON. A refusal is reported.
 * Returns an exit code. */
int change_run(const struct settings *settings, const char *method, const char *url,
	const json_t *wish, void (*print)(const struct settings *settings, const json_t *answer));
