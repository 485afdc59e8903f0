/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records carry a connection's counters so far: what the latest adds to those before it. */
#pragma once

#include "detect/ledger.h"
#include "flow/record.h"

#include <stdbool.h>

struct meter_reading {
	uint64_t packets[2];
	uint64_t bytes[2];
	uint64_t total_packets[2]; /* of the connection so far */
	uint64_t since_ns;         /* when it began, or was read before: what it adds came after */
	bool is_first;             /* of this connection */
};

struct meter {
	struct ledger connections;
};

struct meter meter_init(size_t connections_max);
/* false: the record is not of a connection, or adds nothing; its first packet is counted with the
 * next, so that short ones are not remembered. A connection that had to be forgotten
 * counts anew: too much rather than nothing. */
bool meter_read(struct meter *meter, const struct record *record, struct meter_reading *ret);
void meter_clear(struct meter *meter);
