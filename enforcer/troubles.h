/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What went wrong behind the agent's back, for segctl status: the last few kinds, each once, with
 * how often. Older ones are in the journal. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TROUBLES_MAX 8

struct trouble {
	char *message;
	bool repaired;
	uint64_t last_ns; /* CLOCK_REALTIME */
	uint64_t count;
};

struct troubles {
	struct trouble items[TROUBLES_MAX]; /* the newest first */
	size_t count;
};

/* Out of memory: it is not kept. */
void troubles_add(struct troubles *troubles, const char *message, bool repaired);
bool troubles_know(const struct troubles *troubles, const char *message);
/* [{"time", "message", "repaired", "count"}]. New reference. */
json_t *troubles_to_json(const struct troubles *troubles);
void troubles_clear(struct troubles *troubles);
