/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records one a line, for other programs: none waits for the one behind it. */
#pragma once

#include "settings.h"

#include <jansson.h>

#define LINES_OUTPUTS (OUTPUT_JSONL | OUTPUT_CSV | OUTPUT_OCSF | OUTPUT_ECS)

/* What stands above the first one. */
void lines_begin(const struct settings *settings);
/* A record or a refusal, in the form that -o asked for. */
void lines_print(const struct settings *settings, const json_t *record);
