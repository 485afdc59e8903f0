/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy_store.h"

#include "base/cleanup.h"
#include "json.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define STORE_VERSION 1
#define STORE_NAME    "policies.json"

/*
 * Locations count from the start of the file that was applied, so the text is parsed behind as many
 * empty lines as stood before it there.
 */
static int parse_stored(struct document_list *list, const char *file, json_int_t line,
	const char *text, struct error *error)
{
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	_cleanup_free_ char *padded = NULL;
	size_t padding = line > 1 ? (size_t)line - 1 : 0;
	size_t length = strlen(text);
	int r;

	padded = malloc(padding + length + 1);
	if (!padded)
		return error_nomem(error);
	memset(padded, '\n', padding);
	memcpy(padded + padding, text, length + 1);
	r = documents_parse(list, file, padded, padding + length, &diagnostics);
	if (r < 0)
		error_set(error, r, "%s:%lld: %s", file, (long long)line,
			diagnostics.count ? diagnostics.items[0].message : strerror(-r));
	diagnostics_clear(&diagnostics);
	return r;
}

int policy_store_decode(json_t *root, struct document_list *list, struct error *error)
{
	json_t *documents = json_object_get(root, "documents"), *item;
	size_t i;
	int r;

	if (json_integer_value(json_object_get(root, "version")) != STORE_VERSION ||
		!json_is_array(documents))
		return error_set(
			error, -EBADMSG, "not a policy store of version %d", STORE_VERSION);
	json_array_foreach (documents, i, item) {
		const char *file, *text;
		json_int_t line;

		if (json_unpack(item, "{s:s, s:I, s:s}", "file", &file, "line", &line, "text",
			    &text) < 0 ||
			line < 0 || line > INT_MAX)
			return error_set(error, -EBADMSG, "document %zu is damaged", i);
		r = parse_stored(list, file, line, text, error);
		if (r < 0)
			return r;
	}
	return 0;
}

int policy_store_load(const char *directory, struct document_list *list, struct error *error)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_json_ json_t *root = NULL;
	json_error_t problem;
	int r;

	if (asprintf(&path, "%s/" STORE_NAME, directory) < 0)
		return error_nomem(error);
	if (access(path, F_OK) < 0) {
		if (errno == ENOENT)
			return 0;
		return error_errno(error, -errno, "read applied policies from %s", path);
	}
	root = json_load_file(path, 0, &problem);
	if (!root)
		r = error_set(error, -EBADMSG, "line %d: %s", problem.line, problem.text);
	else
		r = policy_store_decode(root, list, error);
	if (r < 0)
		return error_context(error, r, "read applied policies from %s", path);
	return 0;
}

json_t *policy_store_encode(const struct document_list *list)
{
	_cleanup_json_ json_t *documents = json_array();

	for (size_t i = 0; i < list->count; i++) {
		const struct document *document = list->items[i];
		json_t *item = json_pack("{s:s, s:i, s:s}", "file", document->file, "line",
			(int)document->line, "text", document->text);

		if (json_array_append_new(documents, item) < 0)
			return NULL;
	}
	return json_pack("{s:i, s:O}", "version", STORE_VERSION, "documents", documents);
}

static int write_synced(const char *path, const json_t *root, struct error *error)
{
	_cleanup_close_ int fd = -1;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_errno(error, -errno, "create %s", path);
	if (json_dumpfd(root, fd, JSON_INDENT(1)) < 0)
		return error_errno(error, errno ? -errno : -EIO, "write %s", path);
	if (fsync(fd) < 0)
		return error_errno(error, -errno, "sync %s", path);
	return 0;
}

int policy_store_write(
	const char *directory, const char *path, const json_t *root, struct error *error)
{
	int r;

	if (mkdir(directory, 0700) < 0 && errno != EEXIST)
		return error_errno(error, -errno, "make state directory %s", directory);
	r = write_synced(path, root, error);
	if (r < 0)
		unlink(path);
	return r;
}

int policy_store_replace(
	const char *directory, const char *next, const char *name, struct error *error)
{
	_cleanup_close_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(error, -errno, "open state directory %s", directory);
	if (renameat(fd, next, fd, name) < 0)
		return error_errno(error, -errno, "replace %s/%s", directory, name);
	if (fsync(fd) < 0)
		return error_errno(error, -errno, "sync state directory %s", directory);
	return 0;
}

int policy_store_remove(const char *directory, struct error *error)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/" STORE_NAME, directory) < 0)
		return error_nomem(error);
	if (unlink(path) < 0 && errno != ENOENT)
		return error_errno(error, -errno, "remove %s", path);
	return 0;
}
