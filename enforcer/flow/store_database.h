/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store's file: its tables, its versions, and what happens to a damaged one.
 *
 *   endpoints  a workload (name as JSON, labels of that time), the node, an address of the world
 *   rules      a deciding rule as JSON
 *   edges      who, whom, how, decided by which rule; when first and last
 *   counts     sums of an edge for one step of time: a minute, an hour, a day
 *   running    connections that go on: how much of them is in counts (store_running.h)
 *   begun      one row: those that began until then are in counts (store_running.h)
 *   horizons   from when on the steps of a level are complete
 */
#pragma once

#include "base/error.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#define STORE_SCHEMA 3

/* Seconds of a step, coarse to fine. Every sum is in all three. */
enum store_level {
	STORE_DAY,
	STORE_HOUR,
	STORE_MINUTE,
	STORE_LEVELS
};
extern const int64_t store_level_seconds[STORE_LEVELS];

/* An address of the world beyond this many counts as the world without an address. */
#define STORE_ADDRESSES_MAX 65536

/* Fills error from the database's last failure; -EIO, -ENOSPC, -EROFS, -EUCLEAN (damaged), … */
int store_error(sqlite3 *database, struct error *error, const char *doing);

/* Opens path to write, makes or migrates the tables. check: reads everything for damage first.
 * -EUCLEAN: damaged; -EPROTO: written by a later version. */
int store_open(const char *path, bool check, sqlite3 **ret, struct error *error);
/* -ENOENT: not there. */
int store_open_to_read(const char *path, sqlite3 **ret, struct error *error);

/* Moves a damaged file and its journals away; ret is the new name, to be freed. One that was set
 * aside before is replaced. */
int store_set_aside(const char *path, char **ret, struct error *error);

int store_prepare(sqlite3 *database, const char *sql, sqlite3_stmt **ret, struct error *error);
int store_execute(sqlite3 *database, const char *sql, struct error *error);

static inline void sqlite3_closep(sqlite3 **database)
{
	sqlite3_close_v2(*database);
}

static inline void sqlite3_finalizep(sqlite3_stmt **statement)
{
	sqlite3_finalize(*statement);
}
