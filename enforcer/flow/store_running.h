/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is in the store of connections that go on. Events carry a connection's counters since it
 * began; without this a restarted agent would count a long connection from its beginning again, or
 * not at all what it did meanwhile.
 *
 * Most connections are short, and of one that has only begun no packet is counted (map.h). So there
 * is a row for those alone of which more was told; that the others are counted as connections
 * follows from when they began. Where an agent is killed, those that began in the moment before
 * and of which it had not heard are taken for counted; their packets are not.
 */
#pragma once

#include "base/error.h"
#include "base/large_hash.h"
#include "flow/event.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How much of a connection is counted, in a table by id. */
struct store_connection {
	uint64_t id;        /* lasting */
	uint64_t record_id; /* that its records have; 0: not known */
	uint64_t packets[2];
	uint64_t bytes[2];
	bool ended;
	UT_hash_handle hh;
};

/* What is on its way to the store, or what earlier agents have stored. */
struct store_running {
	struct store_connection *connections;
	uint64_t begun_ns; /* who began until then is counted as a connection; 0: none */
};

/* What an event adds to the store. */
struct store_addition {
	uint64_t connections;
	uint64_t packets[2];
	uint64_t bytes[2];
};

/* Notes that the connection is counted as far as the event goes. Of more than connections_max, or
 * out of memory, it does not. has_row: the store may have one of it from before. */
void store_running_note(struct store_running *running, const struct flow_event *event, bool has_row,
	size_t connections_max);
/* Takes off what an earlier agent stored of the connection, once: for this agent's first event of
 * it, where it is not its beginning. true: there was a row of it. */
bool store_running_take_off(struct store_running *running, const struct flow_event *event,
	struct store_addition *addition);
void store_running_clear(struct store_running *running);

/* Reads the file at path. Where there is none or it cannot be read: empty. */
struct store_running store_running_load(const char *path);
/* Within the writer's transaction. time: seconds. */
int store_running_save(
	sqlite3 *database, const struct store_running *running, int64_t time, struct error *error);
/* Forgets connections of which nobody told since before (seconds): their end was missed. */
int store_running_forget(sqlite3 *database, int64_t before, struct error *error);
