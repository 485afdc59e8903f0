// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/store_database.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BUSY_MS 2000

const int64_t store_level_seconds[STORE_LEVELS] = {86400, 3600, 60};

/* One entry a version: what leads there from the one before. */
static const char *const migrations[] = {
	"CREATE TABLE endpoints (id INTEGER PRIMARY KEY, name TEXT NOT NULL,"
	" address BLOB NOT NULL, UNIQUE (name, address));"
	"CREATE TABLE rules (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
	"CREATE TABLE edges (id INTEGER PRIMARY KEY, source INTEGER NOT NULL,"
	" destination INTEGER NOT NULL, ethertype INTEGER NOT NULL, protocol INTEGER NOT NULL,"
	" port INTEGER NOT NULL, verdict INTEGER NOT NULL, reason INTEGER NOT NULL,"
	" direction INTEGER NOT NULL, rule INTEGER NOT NULL, icmp INTEGER NOT NULL,"
	" start INTEGER NOT NULL, end INTEGER NOT NULL, UNIQUE (source, destination, ethertype,"
	" protocol, port, verdict, reason, direction, rule, icmp));"
	"CREATE TABLE counts (edge INTEGER NOT NULL, level INTEGER NOT NULL,"
	" time INTEGER NOT NULL, connections INTEGER NOT NULL, packets_sent INTEGER NOT NULL,"
	" packets_received INTEGER NOT NULL, bytes_sent INTEGER NOT NULL,"
	" bytes_received INTEGER NOT NULL, PRIMARY KEY (edge, level, time)) WITHOUT ROWID;"
	"CREATE TABLE running (id INTEGER PRIMARY KEY, packets_sent INTEGER NOT NULL,"
	" packets_received INTEGER NOT NULL, bytes_sent INTEGER NOT NULL,"
	" bytes_received INTEGER NOT NULL, time INTEGER NOT NULL);"
	"CREATE TABLE horizons (level INTEGER PRIMARY KEY, time INTEGER NOT NULL);"
	"INSERT INTO horizons VALUES (0, 0), (1, 0), (2, 0);",
	"CREATE TABLE begun (time INTEGER NOT NULL); INSERT INTO begun VALUES (0);",
	"ALTER TABLE running ADD COLUMN record INTEGER NOT NULL DEFAULT 0;",
};

_Static_assert(ARRAY_SIZE(migrations) == STORE_SCHEMA, "one migration for each version");

static int code_of(sqlite3 *database)
{
	switch (sqlite3_errcode(database) & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CANTOPEN:
		return -ENOENT;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_INTERRUPT:
		return -ETIME;
	default:
		return -EIO;
	}
}

int store_error(sqlite3 *database, struct error *error, const char *doing)
{
	return error_set(error, code_of(database), "%s: %s", doing, sqlite3_errmsg(database));
}

int store_prepare(sqlite3 *database, const char *sql, sqlite3_stmt **ret, struct error *error)
{
	sqlite3_stmt *statement = NULL;

	if (sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) !=
		SQLITE_OK)
		return store_error(database, error, "prepare a statement");
	*ret = statement;
	return 0;
}

int store_execute(sqlite3 *database, const char *sql, struct error *error)
{
	if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK)
		return store_error(database, error, "write");
	return 0;
}

/* The first column of the first row; text is cut to size. */
static int ask(sqlite3 *database, const char *sql, char *text, size_t size, struct error *error)
{
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *statement = NULL;
	int r = store_prepare(database, sql, &statement, error);

	if (r < 0)
		return r;
	if (sqlite3_step(statement) != SQLITE_ROW)
		return store_error(database, error, "read");
	snprintf(text, size, "%s", (const char *)sqlite3_column_text(statement, 0));
	return 0;
}

static int migrate(sqlite3 *database, struct error *error)
{
	char text[32], done[64];
	int version, r = ask(database, "PRAGMA user_version", text, sizeof(text), error);

	if (r < 0)
		return r;
	version = atoi(text);
	if (version < 0 || version > STORE_SCHEMA)
		return error_set(error, -EPROTO,
			"it has schema %d and this segd knows %d: use a later segd, or move the "
			"file away",
			version, STORE_SCHEMA);
	for (; version < STORE_SCHEMA; version++) {
		snprintf(done, sizeof(done), "PRAGMA user_version = %d; COMMIT", version + 1);
		r = store_execute(database, "BEGIN IMMEDIATE", error);
		if (!r)
			r = store_execute(database, migrations[version], error);
		if (!r)
			r = store_execute(database, done, error);
		if (r < 0) {
			sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
			return r;
		}
	}
	return 0;
}

static int check_whole(sqlite3 *database, struct error *error)
{
	char text[128];
	int r = ask(database, "PRAGMA quick_check(1)", text, sizeof(text), error);

	if (r < 0)
		return r;
	return strcmp(text, "ok") ? error_set(error, -EUCLEAN, "%s", text) : 0;
}

/* The journal is written ahead and synced at checkpoints only: what a power cut may take is the
 * last seconds, never the file. */
static int prepare_to_write(sqlite3 *database, bool check, struct error *error)
{
	int r = store_execute(database,
		"PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
		"PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 4194304;",
		error);

	if (!r && check)
		r = check_whole(database, error);
	return r < 0 ? r : migrate(database, error);
}

static int open_database(const char *path, int flags, sqlite3 **ret, struct error *error)
{
	int r, result = sqlite3_open_v2(path, ret, flags | SQLITE_OPEN_NOMUTEX, NULL);

	if (!*ret)
		return error_nomem(error);
	if (result != SQLITE_OK) {
		r = store_error(*ret, error, "open");
		return error_context(error, r, "flow store %s", path);
	}
	sqlite3_busy_timeout(*ret, BUSY_MS);
	return 0;
}

int store_open(const char *path, bool check, sqlite3 **ret, struct error *error)
{
	_cleanup_(sqlite3_closep) sqlite3 *database = NULL;
	int r = open_database(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &database, error);

	if (r < 0)
		return r;
	r = prepare_to_write(database, check, error);
	if (r < 0)
		return error_context(error, r, "flow store %s", path);
	*ret = TAKE_PTR(database);
	return 0;
}

int store_open_to_read(const char *path, sqlite3 **ret, struct error *error)
{
	_cleanup_(sqlite3_closep) sqlite3 *database = NULL;
	int r = open_database(path, SQLITE_OPEN_READONLY, &database, error);

	if (r < 0)
		return r;
	*ret = TAKE_PTR(database);
	return 0;
}

int store_set_aside(const char *path, char **ret, struct error *error)
{
	static const char *const suffixes[] = {"-wal", "-shm"};
	_cleanup_free_ char *aside = NULL;

	if (asprintf(&aside, "%s.damaged", path) < 0) {
		aside = NULL;
		return error_nomem(error);
	}
	if (rename(path, aside) < 0)
		return error_errno(error, -errno, "set the damaged flow store %s aside", path);
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		_cleanup_free_ char *journal = NULL;

		if (asprintf(&journal, "%s%s", path, suffixes[i]) < 0) {
			journal = NULL;
			return error_nomem(error);
		}
		if (unlink(journal) < 0 && errno != ENOENT)
			return error_errno(error, -errno, "remove %s", journal);
	}
	*ret = TAKE_PTR(aside);
	return 0;
}
