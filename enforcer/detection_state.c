// SPDX-License-Identifier: GPL-2.0-or-later
#include "detection_state.h"

#include "base/cleanup.h"
#include "base/write_all.h"
#include "flow/log_reader.h"
#include "json.h"
#include "policy_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#define STATE_VERSION 1

static const char *const names[DETECTION_FILES] = {
	[DETECTION_ALERTS] = "alerts.json",
	[DETECTION_BASELINE] = "baseline.jsonl",
	[DETECTION_DETECTORS] = "detectors.json",
};

/* --- writing ------------------------------------------------------------------------------------
 */

static int save(const struct detection_state *state, enum detection_file file, const char *data,
	size_t length, struct error *error)
{
	const char *directory = state->directory, *name = names[file];
	_cleanup_free_ char *next = NULL, *path = NULL;
	_cleanup_close_ int fd = -1;
	int r;

	/* That was told when it could not be loaded. */
	if (state->stays[file])
		return 0;
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
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r < 0) {
		unlink(path);
		return error_errno(error, r, "write %s", path);
	}
	return policy_store_replace(directory, next, name, error);
}

/* Takes root. As one text, since jansson writes to a descriptor word by word, and thousands of
 * alerts may be waiting. */
static int save_json(const struct detection_state *state, enum detection_file file, json_t *root,
	struct error *error)
{
	_cleanup_json_ json_t *owned = root;
	_cleanup_free_ char *text = owned ? json_dumps(owned, JSON_COMPACT) : NULL;

	return text ? save(state, file, text, strlen(text), error) : error_nomem(error);
}

int detection_state_save_alerts(
	const struct detection_state *state, const struct alerts *alerts, struct error *error)
{
	json_t *root = alerts_save(alerts);

	if (root)
		json_object_set_new(root, "version", json_integer(STATE_VERSION));
	return save_json(state, DETECTION_ALERTS, root, error);
}

static int save_baseline(
	const struct detection_state *state, const struct baseline *baseline, struct error *error)
{
	__attribute__((cleanup(writer_clear))) struct writer writer = WRITER_INIT;

	baseline_write(baseline, &writer);
	if (writer.failed)
		return error_nomem(error);
	return save(state, DETECTION_BASELINE, writer.data, writer.length, error);
}

int detection_state_save_learnt(
	const struct detection_state *state, struct engine *engine, struct error *error)
{
	json_t *root =
		json_pack("{s:i, s:o}", "version", STATE_VERSION, "detectors", engine_save(engine));
	int r = save_json(state, DETECTION_DETECTORS, root, error);

	return r < 0 ? r : save_baseline(state, engine_baseline(engine), error);
}

/* --- reading ------------------------------------------------------------------------------------
 */

struct loading {
	struct detection_state *state;
	struct engine *engine;
	void (*damaged)(const char *message, void *userdata);
	void *userdata;
};

static void tell(const struct loading *loading, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void tell(const struct loading *loading, const char *format, ...)
{
	_cleanup_free_ char *message = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&message, format, arguments) < 0)
		message = NULL;
	va_end(arguments);
	loading->damaged(
		message ? message : "read what detection knew: out of memory", loading->userdata);
}

/* It may be as good as ever. */
static void leave(const struct loading *loading, enum detection_file file, int error)
{
	loading->state->stays[file] = true;
	tell(loading,
		"%s/%s cannot be read (%s): it stays as it is, and what this agent finds is not "
		"saved there; make it readable or move it, and start segd again",
		loading->state->directory, names[file], strerror(-error));
}

static void set_aside(const struct loading *loading, enum detection_file file, const char *what)
{
	const char *directory = loading->state->directory, *name = names[file];
	_cleanup_free_ char *path = NULL, *aside = NULL;
	int r = 0;

	if (asprintf(&path, "%s/%s", directory, name) < 0) {
		path = NULL;
		r = -ENOMEM;
	} else if (asprintf(&aside, "%s.damaged", path) < 0) {
		aside = NULL;
		r = -ENOMEM;
	} else if (rename(path, aside) < 0) {
		r = -errno;
	}
	loading->state->stays[file] = r < 0;
	if (r < 0)
		tell(loading,
			"%s/%s is damaged (%s), and cannot be set aside as %s.damaged (%s): it "
			"stays as it is, and what this agent finds is not saved there; move it, "
			"and start segd again",
			directory, name, what, name, strerror(-r));
	else
		tell(loading,
			"%s is damaged (%s): it is %s now, detection goes on with what could be "
			"read of it",
			path, what, aside);
}

/* -ENOENT: nothing was saved yet. What else goes wrong is told. */
static int open_file(const struct loading *loading, enum detection_file file)
{
	_cleanup_free_ char *path = NULL;
	int fd;

	if (asprintf(&path, "%s/%s", loading->state->directory, names[file]) < 0) {
		path = NULL;
		fd = -ENOMEM;
	} else {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
	}
	if (fd < 0 && fd != -ENOENT)
		leave(loading, file, fd);
	return fd;
}

/* NULL: it is not there, cannot be read, or was set aside. */
static json_t *load_json(const struct loading *loading, enum detection_file file)
{
	_cleanup_close_ int fd = open_file(loading, file);
	json_error_t problem;
	json_t *root;

	if (fd < 0)
		return NULL;
	root = json_loadfd(fd, 0, &problem);
	if (root && json_integer_value(json_object_get(root, "version")) == STATE_VERSION)
		return root;
	if (!root && json_error_code(&problem) == json_error_out_of_memory)
		leave(loading, file, -ENOMEM);
	else
		set_aside(loading, file, root ? "another version" : problem.text);
	json_decref(root);
	return NULL;
}

static void load_alerts(const struct loading *loading)
{
	_cleanup_json_ json_t *root = load_json(loading, DETECTION_ALERTS);

	if (root && alerts_load(engine_alerts(loading->engine), root) < 0)
		set_aside(loading, DETECTION_ALERTS, "some of it is no alert");
}

static void load_detectors(const struct loading *loading)
{
	_cleanup_json_ json_t *root = load_json(loading, DETECTION_DETECTORS);
	_cleanup_error_ struct error error = ERROR_INIT;

	if (root && engine_load(loading->engine, json_object_get(root, "detectors"), &error) < 0)
		set_aside(loading, DETECTION_DETECTORS, error_message(&error));
}

static void load_baseline(const struct loading *loading)
{
	struct baseline *baseline = engine_baseline(loading->engine);
	__attribute__((cleanup(log_reader_freep))) struct log_reader *reader = NULL;
	_cleanup_close_ int fd = open_file(loading, DETECTION_BASELINE);
	const char *line;
	size_t length;
	int r, result = 0;

	if (fd < 0)
		return;
	r = log_reader_new(fd, 0, &reader);
	if (r < 0) {
		leave(loading, DETECTION_BASELINE, r);
		return;
	}
	fd = -1;
	while ((r = log_reader_next(reader, &line, &length)) > 0)
		if (baseline_read_line(baseline, line, length) < 0)
			result = -EBADMSG;
	if (r < 0 || result < 0)
		set_aside(loading, DETECTION_BASELINE, "some of it was never learnt");
}

void detection_state_load(struct detection_state *state, struct engine *engine,
	void (*damaged)(const char *message, void *userdata), void *userdata)
{
	const struct loading loading = {
		.state = state,
		.engine = engine,
		.damaged = damaged,
		.userdata = userdata,
	};

	load_alerts(&loading);
	load_detectors(&loading);
	load_baseline(&loading);
}
