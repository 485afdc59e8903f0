/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent has counted by reason: in its counters, and in its list of refusals. */
#pragma once

#include "base/error.h"
#include "xdp/reasons.h"

#include <stddef.h>
#include <stdint.h>

struct tally {
	uint64_t counters[REASON_COUNT];
	uint64_t listed[REASON_COUNT];
};

/* -1: no such reason. */
int tally_reason(const char *name, size_t length);
const char *tally_name(int reason);
/* socket: the agent's, which segctl asks, too. */
int tally_read(const char *socket, struct tally *ret, struct error *error);
