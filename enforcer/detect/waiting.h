/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of connections that have just opened, until it is known what became of them (contact.h):
 * in the order in which they came, each for CONTACT_SETTLE_NS. Bounded: the oldest makes room,
 * counted.
 */
#pragma once

#include "flow/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WAITING_MAX 512

struct waiting {
	struct record records[WAITING_MAX]; /* a ring; with references of their own */
	size_t head;
	size_t count;
	uint64_t evicted;
};

void waiting_add(struct waiting *waiting, const struct record *record);
/* It is known what became of it: nobody need wait. Whether somebody did. */
bool waiting_forget(struct waiting *waiting, uint64_t id);
/* The oldest, if its time is over; NULL: none. Valid until waiting_pop(), which takes it out. */
const struct record *waiting_due(struct waiting *waiting, uint64_t now_ns);
void waiting_pop(struct waiting *waiting);
void waiting_clear(struct waiting *waiting);
