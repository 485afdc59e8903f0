/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counters of connections that go on, on their way to the store: a note for each event, one behind
 * the other, since to look for the connection's last note costs more than to keep both. Most
 * connections are short, so what is left when notes are settled is little.
 */
#pragma once

#include "flow/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_note {
	uint64_t id; /* of the connection */
	uint64_t packets[2];
	uint64_t bytes[2];
	uint32_t place; /* later ones have higher numbers */
	bool began;     /* among these notes: nothing of it is on file */
	bool ended;
};

struct store_notes {
	struct store_note *items;
	size_t count;
	size_t size;
};

/* connections_max: what is beyond, or out of memory, is not noted. */
void store_notes_add(
	struct store_notes *notes, const struct flow_event *event, size_t connections_max);
/* Leaves one note of each connection, with its last counters, in the order of ids; none of what
 * began and ended. */
void store_notes_settle(struct store_notes *notes);
void store_notes_clear(struct store_notes *notes);
