/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "corpus.h"

#include "base/cleanup.h"
#include "json.h"
#include "must.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <zlib.h>

#define TEXT_MAX (256U << 20)

typedef int take_value(struct corpus *corpus, const char *file, json_t *value, struct error *error);

static void gzclosep(gzFile *file)
{
	if (*file)
		gzclose(*file);
}

/* Plain files come out as they are. */
static int read_text(const char *path, char **ret, size_t *ret_size, struct error *error)
{
	_cleanup_(gzclosep) gzFile file = gzopen(path, "rbe");
	_cleanup_free_ char *text = NULL;
	size_t size = 0, room = 1 << 16;
	int got;

	if (!file)
		return error_errno(error, errno ? -errno : -ENOMEM, "open %s", path);
	do {
		room *= 2;
		if (room > TEXT_MAX)
			return error_set(
				error, -EFBIG, "%s holds more than %u MiB", path, TEXT_MAX >> 20);
		text = must(realloc(text, room));
		got = gzread(file, text + size, (unsigned int)(room - size));
		if (got < 0)
			return error_set(error, -EIO, "read %s: %s", path, gzerror(file, &got));
		size += (size_t)got;
	} while (size == room);
	*ret = TAKE_PTR(text);
	*ret_size = size;
	return 0;
}

static int count_lines(const char *text, size_t size)
{
	int lines = 0;

	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	return lines;
}

/* Values stand one after another: one to a line, or as their author likes to break them. */
static int read_values(
	struct corpus *corpus, const char *path, take_value *take, struct error *error)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0, at = 0;
	int r = read_text(path, &text, &size, error);

	if (r < 0)
		return r;
	for (;;) {
		_cleanup_json_ json_t *value = NULL;
		json_error_t problem;

		while (at < size && isspace((unsigned char)text[at]))
			at++;
		if (at == size)
			return 0;
		value = json_loadb(text + at, size - at,
			JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, &problem);
		if (!value)
			return error_set(error, -EINVAL, "%s:%d:%d: %s", path,
				count_lines(text, at) + problem.line, problem.column, problem.text);
		r = take(corpus, path, value, error);
		if (r < 0)
			return error_context(error, r, "%s:%d", path, count_lines(text, at) + 1);
		at += (size_t)problem.position;
	}
}

static int take_clusters(
	struct corpus *corpus, const char *file, json_t *value, struct error *error)
{
	const char *key;
	json_t *cluster;

	(void)file;
	if (!json_is_object(value))
		return error_set(error, -EINVAL, "expected an object of clusters");
	json_object_foreach (value, key, cluster) {
		if (json_object_get(corpus->clusters, key))
			return error_set(error, -EINVAL, "there are two clusters '%s'", key);
		if (json_object_set(corpus->clusters, key, cluster) < 0)
			return error_nomem(error);
	}
	return 0;
}

static int take_case(struct corpus *corpus, const char *file, json_t *value, struct error *error)
{
	struct corpus_case *slot;
	json_error_t problem;
	json_t *steps;
	const char *id;

	if (json_unpack_ex(value, &problem, 0, "{s:s, s:o}", "id", &id, "steps", &steps) < 0)
		return error_set(error, -EINVAL, "a case: %s", problem.text);
	if (!json_is_array(steps))
		return error_set(error, -EINVAL, "case %s: steps is no array", id);
	corpus->cases =
		must(reallocarray(corpus->cases, corpus->cases_count + 1, sizeof(*corpus->cases)));
	slot = &corpus->cases[corpus->cases_count++];
	*slot = (struct corpus_case){.json = json_incref(value), .id = id, .file = file};
	return 0;
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t length = strlen(name), suffix_length = strlen(suffix);

	return length > suffix_length && strcmp(name + length - suffix_length, suffix) == 0;
}

static take_value *reader_of(const char *name)
{
	if (has_suffix(name, ".json") || has_suffix(name, ".json.gz"))
		return take_clusters;
	if (has_suffix(name, ".jsonl") || has_suffix(name, ".jsonl.gz"))
		return take_case;
	return NULL;
}

static int is_corpus_file(const struct dirent *entry)
{
	return reader_of(entry->d_name) != NULL;
}

static char *join(const char *directory, const char *name)
{
	char *path;

	return must(asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path);
}

static int read_files(struct corpus *corpus, const char *directory, struct dirent **entries,
	int entries_count, struct error *error)
{
	corpus->files = must(calloc((size_t)entries_count + 1, sizeof(*corpus->files)));
	for (int i = 0; i < entries_count; i++) {
		const char *name = entries[i]->d_name;
		char *path = join(directory, name);
		int r;

		corpus->files[corpus->files_count++] = path;
		r = read_values(corpus, path, reader_of(name), error);
		if (r < 0)
			return r;
	}
	if (!corpus->cases_count)
		return error_set(
			error, -ENOENT, "%s holds no case (*.jsonl, *.jsonl.gz)", directory);
	return 0;
}

int corpus_load(const char *directory, struct corpus *ret, struct error *error)
{
	_cleanup_(corpus_clear) struct corpus corpus = {.clusters = must(json_object())};
	struct dirent **entries;
	int count = scandir(directory, &entries, is_corpus_file, alphasort);
	int r;

	if (count < 0)
		return error_errno(error, -errno, "read corpus directory %s", directory);
	r = read_files(&corpus, directory, entries, count, error);
	while (count)
		free(entries[--count]);
	free(entries);
	if (r < 0)
		return r;
	*ret = corpus;
	corpus = (struct corpus){0};
	return 0;
}

void corpus_clear(struct corpus *corpus)
{
	for (size_t i = 0; i < corpus->cases_count; i++)
		json_decref(corpus->cases[i].json);
	for (size_t i = 0; i < corpus->files_count; i++)
		free(corpus->files[i]);
	free(corpus->cases);
	free(corpus->files);
	json_decref(corpus->clusters);
}
