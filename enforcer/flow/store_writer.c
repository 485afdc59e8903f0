// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/store_writer.h"

#include "base/cleanup.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define RETRY_SECONDS  1
#define RETAIN_SECONDS 600
/* What is too old is removed by a clock that has been going steadily for so long, not by one that a
 * dead battery or a mistake has set years ahead. */
#define STEADY_SECONDS 3600
#define JUMP_SECONDS   60

/* The upper part is shared and belongs to the lock, the lower one to the thread. */
struct store_writer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	const struct store_batch *batch; /* NULL: idle */
	bool stop;
	struct store_writer_state state;

	char *path;
	struct store_retention retention;
	sqlite3 *database;
	struct store_insert *insert;
	int64_t retained;
	int64_t offset;       /* of the wall clock against the other one, when last looked at */
	int64_t steady_since; /* by the other one; 0: not looked at yet */
};

static void close_database(struct store_writer *writer)
{
	store_insert_free(TAKE_PTR(writer->insert));
	sqlite3_close_v2(TAKE_PTR(writer->database));
}

static int open_once(struct store_writer *writer, struct error *error)
{
	int r = store_open(writer->path, true, &writer->database, error);

	if (!r)
		r = store_insert_new(writer->database, &writer->insert, error);
	if (r < 0)
		close_database(writer);
	return r;
}

static void note_set_aside(struct store_writer *writer, char *path)
{
	pthread_mutex_lock(&writer->lock);
	free(writer->state.set_aside);
	writer->state.set_aside = path;
	pthread_mutex_unlock(&writer->lock);
}

static int open_or_set_aside(struct store_writer *writer, struct error *error)
{
	char *aside;
	int r = open_once(writer, error);

	if (r != -EUCLEAN)
		return r;
	r = store_set_aside(writer->path, &aside, error);
	if (r < 0)
		return r;
	note_set_aside(writer, aside);
	error_clear(error);
	return open_once(writer, error);
}

/* Somebody removed the file: what is written to it would be lost. */
static bool file_is_gone(const struct store_writer *writer)
{
	struct stat status;

	return stat(writer->path, &status) < 0 && errno == ENOENT;
}

/* Of the wall clock: has it not jumped for a while? */
static bool is_steady(struct store_writer *writer, int64_t now)
{
	struct timespec since_boot;
	int64_t jumped, seconds;

	clock_gettime(CLOCK_BOOTTIME, &since_boot);
	seconds = since_boot.tv_sec + 1; /* never 0 */
	jumped = now - seconds - writer->offset;
	writer->offset = now - seconds;
	if (!writer->steady_since || jumped > JUMP_SECONDS || jumped < -JUMP_SECONDS)
		writer->steady_since = seconds;
	return seconds - writer->steady_since >= STEADY_SECONDS;
}

static int retain(struct store_writer *writer, struct error *error)
{
	struct store_retention retention = writer->retention;
	int64_t now = time(NULL);
	bool steady = is_steady(writer, now);
	int r;

	if (now >= writer->retained && now - writer->retained < RETAIN_SECONDS)
		return 0;
	if (!steady)
		retention.age_seconds = STORE_AGE_NONE;
	r = store_retain(writer->database, &retention, now, error);
	if (!r)
		writer->retained = now;
	return r;
}

static int write_batch(
	struct store_writer *writer, const struct store_batch *batch, struct error *error)
{
	int r = 0;

	if (writer->database && file_is_gone(writer))
		close_database(writer);
	if (!writer->database)
		r = open_or_set_aside(writer, error);
	if (!r && batch)
		r = store_insert_batch(writer->insert, batch, error);
	/* Opened anew it is looked through, and set aside if it is as damaged as it seems. */
	if (r == -EUCLEAN)
		close_database(writer);
	return r;
}

/* Under the lock. */
static void tell(struct store_writer *writer, int result, const struct error *error, int64_t bytes)
{
	free(TAKE_PTR(writer->state.error));
	if (result < 0)
		writer->state.error = strdup(error_message(error));
	writer->state.failures += result < 0;
	writer->state.ready = writer->database != NULL;
	if (bytes)
		writer->state.bytes = bytes;
	pthread_cond_broadcast(&writer->changed);
}

/* Without the lock, which is held on return. */
static int attempt(struct store_writer *writer, const struct store_batch *batch)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	int64_t bytes = 0;
	int written = write_batch(writer, batch, &error), r = written;

	if (!r)
		r = retain(writer, &error);
	if (!r)
		r = store_used_bytes(writer->database, &bytes, &error);
	pthread_mutex_lock(&writer->lock);
	if (!written && batch)
		writer->batch = NULL;
	tell(writer, r, &error, bytes);
	return written;
}

static void wait_a_while(struct store_writer *writer)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += RETRY_SECONDS;
	if (!writer->stop)
		pthread_cond_timedwait(&writer->changed, &writer->lock, &until);
}

static void *run(void *userdata)
{
	struct store_writer *writer = userdata;

	/* Opened before the first batch, so that damage is found at the start. */
	attempt(writer, NULL);
	for (;;) {
		const struct store_batch *batch = writer->batch;
		bool last = writer->stop;
		int r;

		if (!batch && last)
			break;
		if (!batch) {
			pthread_cond_wait(&writer->changed, &writer->lock);
			continue;
		}
		pthread_mutex_unlock(&writer->lock);
		r = attempt(writer, batch);
		if (r < 0 && last)
			break;
		if (r < 0)
			wait_a_while(writer);
	}
	pthread_mutex_unlock(&writer->lock);
	close_database(writer);
	return NULL;
}

static void writer_free(struct store_writer *writer)
{
	pthread_cond_destroy(&writer->changed);
	pthread_mutex_destroy(&writer->lock);
	store_writer_state_clear(&writer->state);
	free(writer->path);
	free(writer);
}

DEFINE_CLEANUP(struct store_writer *, writer_free)

/* Signals are for the event loop. */
static int start(struct store_writer *writer)
{
	sigset_t all, before;
	int result;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	result = pthread_create(&writer->thread, NULL, run, writer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -result;
}

static void init_shared(struct store_writer *writer)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&writer->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	pthread_mutex_init(&writer->lock, NULL);
}

int store_writer_new(
	const char *path, const struct store_retention *retention, struct store_writer **ret)
{
	_cleanup_(writer_freep) struct store_writer *writer = NULL;
	int r;

	writer = calloc(1, sizeof(*writer));
	if (!writer)
		return -ENOMEM;
	init_shared(writer);
	writer->retention = *retention;
	writer->path = strdup(path);
	if (!writer->path)
		return -ENOMEM;
	r = start(writer);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(writer);
	return 0;
}

void store_writer_free(struct store_writer *writer)
{
	if (!writer)
		return;
	pthread_mutex_lock(&writer->lock);
	writer->stop = true;
	pthread_cond_broadcast(&writer->changed);
	pthread_mutex_unlock(&writer->lock);
	pthread_join(writer->thread, NULL);
	writer_free(writer);
}

void store_writer_give(struct store_writer *writer, const struct store_batch *batch)
{
	pthread_mutex_lock(&writer->lock);
	writer->batch = batch;
	pthread_cond_broadcast(&writer->changed);
	pthread_mutex_unlock(&writer->lock);
}

bool store_writer_is_idle(struct store_writer *writer)
{
	bool idle;

	pthread_mutex_lock(&writer->lock);
	idle = !writer->batch;
	pthread_mutex_unlock(&writer->lock);
	return idle;
}

int store_writer_wait(struct store_writer *writer, struct error *error)
{
	uint64_t failures;
	int r = 0;

	pthread_mutex_lock(&writer->lock);
	failures = writer->state.failures;
	while (writer->batch && writer->state.failures == failures)
		pthread_cond_wait(&writer->changed, &writer->lock);
	if (writer->batch)
		r = error_set(error, -EIO, "%s",
			writer->state.error ? writer->state.error : "out of memory");
	pthread_mutex_unlock(&writer->lock);
	return r;
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

void store_writer_state(struct store_writer *writer, struct store_writer_state *ret)
{
	pthread_mutex_lock(&writer->lock);
	*ret = writer->state;
	ret->error = copy(ret->error);
	ret->set_aside = copy(ret->set_aside);
	pthread_mutex_unlock(&writer->lock);
}

void store_writer_state_clear(struct store_writer_state *state)
{
	free(TAKE_PTR(state->error));
	free(TAKE_PTR(state->set_aside));
}
