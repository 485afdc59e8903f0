/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What deny lists come to: a map that is ready to be put in force. Made without anything that is
 * shared, so any thread may. */
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct deny_outcome {
	int map;           /* as deny_lists wants it (abi.h); -1: nothing is listed */
	size_t ranges;     /* in it */
	size_t *prefixes;  /* of each file; owned */
	uint64_t start_ns; /* CLOCK_MONOTONIC, when reading began */
};

#define DENY_OUTCOME_INIT \
	{                 \
		.map = -1 \
	}

/* Reads all files. Errors as deny_file_read(); -E2BIG; what the kernel says to the map. */
int deny_outcome_make(
	const char *const *files, size_t count, struct deny_outcome *ret, struct error *error);
void deny_outcome_clear(struct deny_outcome *outcome);

#define _cleanup_deny_outcome_ __attribute__((cleanup(deny_outcome_clear)))
