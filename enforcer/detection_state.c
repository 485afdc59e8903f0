// SPDX-License-Identifier: GPL-2.0-or-later
#include "detection_state.h"

#include "base/cleanup.h"
#include "flow/log_reader.h"
#include "json.h"
#include "policy_store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define STATE_VERSION  1
#define ALERTS_NAME    "alerts.json"
#define BASELINE_NAME  "baseline.jsonl"
#define DETECTORS_NAME "detectors.json"

/* --- writing ------------------------------------------------------------------------------------
 */

static int write_all(int fd, const char *data, size_t length)
{
	while (length) {
		ssize_t written = write(fd, data, length);

		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			data += written;
			length -= (size_t)written;
		}
	}
	return fsync(fd) < 0 ? -errno : 0;
}

static int save(const char *directory, const char *name, const char *data, size_t length,
	struct error *error)
{
	_cleanup_free_ char *next = NULL, *path = NULL;
	_cleanup_close_ int fd = -1;
	int r;

	if (asprintf(&next, "%s.next", name) < 0) {
		next = NULL;
		return error_nomem(error);
	}
	if (asprintf(&path, "%s/%s", directory, next) < 0) {
		path = NULL;
		return error_nomem(error);
	}
	if (mkdir(directory, 0700) < 0 && errno != EEXIST)
		return error_errno(error, -errno, "make state directory %s", directory);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_errno(error, -errno, "create %s", path);
	r = write_all(fd, data, length);
	if (r < 0) {
		unlink(path);
		return error_errno(error, r, "write %s", path);
	}
	return policy_store_replace(directory, next, name, error);
}

/* Takes root. As one text, since jansson writes to a descriptor word by word, and thousands of
 * alerts may be waiting. */
static int save_json(const char *directory, const char *name, json_t *root, struct error *error)
{
	_cleanup_json_ json_t *owned = root;
	_cleanup_free_ char *text = owned ? json_dumps(owned, JSON_COMPACT) : NULL;

	return text ? save(directory, name, text, strlen(text), error) : error_nomem(error);
}

int detection_state_save_alerts(
	const char *directory, const struct alerts *alerts, struct error *error)
{
	json_t *root = alerts_save(alerts);

	if (root)
		json_object_set_new(root, "version", json_integer(STATE_VERSION));
	return save_json(directory, ALERTS_NAME, root, error);
}

static int save_baseline(
	const char *directory, const struct baseline *baseline, struct error *error)
{
	__attribute__((cleanup(writer_clear))) struct writer writer = WRITER_INIT;

	baseline_write(baseline, &writer);
	if (writer.failed)
		return error_nomem(error);
	return save(directory, BASELINE_NAME, writer.data, writer.length, error);
}

int detection_state_save_learnt(const char *directory, struct engine *engine, struct error *error)
{
	json_t *root =
		json_pack("{s:i, s:o}", "version", STATE_VERSION, "detectors", engine_save(engine));
	int r = save_json(directory, DETECTORS_NAME, root, error);

	return r < 0 ? r : save_baseline(directory, engine_baseline(engine), error);
}

/* --- reading ------------------------------------------------------------------------------------
 */

struct loading {
	const char *directory;
	struct engine *engine;
	void (*damaged)(const char *message, void *userdata);
	void *userdata;
};

static void set_aside(const struct loading *loading, const char *name, const char *what)
{
	_cleanup_free_ char *path = NULL, *aside = NULL, *message = NULL;

	if (asprintf(&path, "%s/%s", loading->directory, name) < 0 ||
		asprintf(&aside, "%s.damaged", path) < 0 ||
		asprintf(&message,
			"%s is damaged (%s): it is %s now, detection goes on with what "
			"could be read of it",
			path, what, aside) < 0)
		return;
	if (rename(path, aside) < 0)
		return;
	loading->damaged(message, loading->userdata);
}

/* NULL: it is not there, or was set aside. */
static json_t *load_json(const struct loading *loading, const char *name)
{
	_cleanup_free_ char *path = NULL;
	json_error_t problem;
	json_t *root;

	if (asprintf(&path, "%s/%s", loading->directory, name) < 0) {
		path = NULL;
		return NULL;
	}
	if (access(path, F_OK) < 0)
		return NULL;
	root = json_load_file(path, 0, &problem);
	if (root && json_integer_value(json_object_get(root, "version")) == STATE_VERSION)
		return root;
	set_aside(loading, name, root ? "another version" : problem.text);
	json_decref(root);
	return NULL;
}

static void load_alerts(const struct loading *loading)
{
	_cleanup_json_ json_t *root = load_json(loading, ALERTS_NAME);

	if (root && alerts_load(engine_alerts(loading->engine), root) < 0)
		set_aside(loading, ALERTS_NAME, "some of it is no alert");
}

static void load_detectors(const struct loading *loading)
{
	_cleanup_json_ json_t *root = load_json(loading, DETECTORS_NAME);
	_cleanup_error_ struct error error = ERROR_INIT;

	if (root && engine_load(loading->engine, json_object_get(root, "detectors"), &error) < 0)
		set_aside(loading, DETECTORS_NAME, error_message(&error));
}

static void load_baseline(const struct loading *loading)
{
	struct baseline *baseline = engine_baseline(loading->engine);
	__attribute__((cleanup(log_reader_freep))) struct log_reader *reader = NULL;
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -1;
	const char *line;
	size_t length;
	int r, result = 0;

	if (asprintf(&path, "%s/" BASELINE_NAME, loading->directory) < 0) {
		path = NULL;
		return;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || log_reader_new(fd, 0, &reader) < 0)
		return;
	fd = -1;
	while ((r = log_reader_next(reader, &line, &length)) > 0)
		if (baseline_read_line(baseline, line, length) < 0)
			result = -EBADMSG;
	if (r < 0 || result < 0)
		set_aside(loading, BASELINE_NAME, "some of it was never learnt");
}

void detection_state_load(const char *directory, struct engine *engine,
	void (*damaged)(const char *message, void *userdata), void *userdata)
{
	const struct loading loading = {
		.directory = directory,
		.engine = engine,
		.damaged = damaged,
		.userdata = userdata,
	};

	load_alerts(&loading);
	load_detectors(&loading);
	load_baseline(&loading);
}
