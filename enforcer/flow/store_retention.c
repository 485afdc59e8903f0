// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A level's horizon says from when on it is complete. It is moved in the transaction that removes
 * what lies before, so that a question never counts on steps that are gone.
 */
#include "flow/store_retention.h"

#include "base/cleanup.h"
#include "flow/store_running.h"

#include <errno.h>
#include <stdbool.h>

#define CUT_PARTS       8 /* of a level's time: one cut when the file is too big */
#define RUNNING_SECONDS ((int64_t)7 * 86400)

static int ask_number(
	sqlite3 *database, const char *sql, int64_t parameter, int64_t *ret, struct error *error)
{
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *statement = NULL;
	int r = store_prepare(database, sql, &statement, error);

	if (r < 0)
		return r;
	if (sqlite3_bind_parameter_count(statement))
		sqlite3_bind_int64(statement, 1, parameter);
	if (sqlite3_step(statement) != SQLITE_ROW)
		return store_error(database, error, "read");
	*ret = sqlite3_column_int64(statement, 0);
	return 0;
}

int store_used_bytes(sqlite3 *database, int64_t *ret, struct error *error)
{
	int64_t pages, unused, size;
	int r = ask_number(database, "PRAGMA page_count", 0, &pages, error);

	if (!r)
		r = ask_number(database, "PRAGMA freelist_count", 0, &unused, error);
	if (!r)
		r = ask_number(database, "PRAGMA page_size", 0, &size, error);
	if (!r)
		*ret = (pages - unused) * size;
	return r;
}

static int execute_with(
	sqlite3 *database, const char *sql, int64_t first, int64_t second, struct error *error)
{
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *statement = NULL;
	int r = store_prepare(database, sql, &statement, error);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, first);
	if (sqlite3_bind_parameter_count(statement) > 1)
		sqlite3_bind_int64(statement, 2, second);
	if (sqlite3_step(statement) != SQLITE_DONE)
		return store_error(database, error, "remove what is too old");
	return 0;
}

/* Goes through the edges: the key of counts begins with them. */
static int remove_counts(
	sqlite3 *database, enum store_level level, int64_t before, struct error *error)
{
	int r = execute_with(database,
		"DELETE FROM counts WHERE (edge, level, time) IN (SELECT c.edge, c.level, c.time"
		" FROM edges CROSS JOIN counts AS c WHERE c.edge = edges.id AND c.level = ?1"
		" AND c.time < ?2)",
		level, before, error);

	if (r < 0)
		return r;
	return execute_with(database, "UPDATE horizons SET time = max(time, ?2) WHERE level = ?1",
		level, before, error);
}

/* What no sum stands for any more. before: seconds. */
static int remove_unused(sqlite3 *database, int64_t before, struct error *error)
{
	int r = execute_with(
		database, "DELETE FROM edges WHERE end < ?1 * 1000000000", before, 0, error);

	return r < 0 ? r
		     : store_execute(database,
			       "DELETE FROM endpoints WHERE id NOT IN (SELECT source FROM edges"
			       " UNION SELECT destination FROM edges);"
			       "DELETE FROM rules WHERE id NOT IN (SELECT rule FROM edges)",
			       error);
}

static int in_one_step(sqlite3 *database, enum store_level first, int64_t before, bool with_edges,
	struct error *error)
{
	int r = store_execute(database, "BEGIN IMMEDIATE", error);

	if (r < 0)
		return r;
	for (enum store_level level = first; !r && level < STORE_LEVELS; level++)
		r = remove_counts(database, level, before, error);
	if (!r && with_edges)
		r = remove_unused(database, before, error);
	if (!r)
		r = store_execute(database, "COMMIT", error);
	if (r < 0)
		sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

/* Rounded down to a day, so that all levels end at the same time. */
static int retain_age(sqlite3 *database, int64_t age_seconds, int64_t now, struct error *error)
{
	int64_t before = now - age_seconds, horizon;
	int r = ask_number(
		database, "SELECT time FROM horizons WHERE level = ?1", STORE_DAY, &horizon, error);

	if (r < 0 || before <= 0)
		return r;
	before -= before % store_level_seconds[STORE_DAY];
	return before > horizon ? in_one_step(database, STORE_DAY, before, true, error) : 0;
}

/* Cuts one part of a level's time. *ret: false where the level has nothing to give but its last
 * coarser step. */
static int cut_level(
	sqlite3 *database, enum store_level level, int64_t now, bool *ret, struct error *error)
{
	int64_t step = store_level_seconds[level ? level - 1 : STORE_DAY], oldest, before;
	int r = ask_number(database,
		"SELECT ifnull(min(c.time), 0) FROM edges CROSS JOIN counts AS c"
		" WHERE c.edge = edges.id AND c.level = ?1",
		level, &oldest, error);

	if (r < 0)
		return r;
	before = oldest + (now - oldest) / CUT_PARTS;
	before -= before % step;
	if (before <= oldest)
		before = oldest - oldest % step + step;
	*ret = oldest && before <= now - now % step;
	return *ret ? in_one_step(database, level, before, level == STORE_DAY, error) : 0;
}

static int retain_size(sqlite3 *database, int64_t size_bytes_max, int64_t now, struct error *error)
{
	int level = STORE_MINUTE;
	int64_t used;
	bool cut;
	int r = store_used_bytes(database, &used, error);

	while (!r && used > size_bytes_max && level >= STORE_DAY) {
		r = cut_level(database, (enum store_level)level, now, &cut, error);
		if (!r && !cut)
			level--;
		if (!r)
			r = store_used_bytes(database, &used, error);
	}
	return r;
}

int store_retain(sqlite3 *database, const struct store_retention *retention, int64_t now,
	struct error *error)
{
	int r = retain_age(database, retention->age_seconds, now, error);

	if (!r && retention->age_seconds < STORE_AGE_NONE)
		r = store_running_forget(database, now - RUNNING_SECONDS, error);
	if (!r)
		r = retain_size(database, retention->size_bytes_max, now, error);
	return r < 0 ? r : store_execute(database, "PRAGMA incremental_vacuum", error);
}
