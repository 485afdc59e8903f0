/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/document.h"

#include "base/cleanup.h"
#include "policies/read.h"
#include "policies/yaml_scan.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

/* One byte more than may be parsed, so that the parser says what is wrong with it. */
#define READ_MAX (YAML_SCAN_TEXT_MAX + 1)

static int read_stream(FILE *stream, char **ret, size_t *ret_size)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0, room = 0;

	do {
		size_t wanted = room ? room * 2 : 65536;
		char *grown;

		room = wanted < READ_MAX ? wanted : READ_MAX;
		grown = realloc(text, room);
		if (!grown)
			return -ENOMEM;
		text = grown;
		size += fread(text + size, 1, room - size, stream);
	} while (size == room && room < READ_MAX);
	if (ferror(stream))
		return errno ? -errno : -EIO;
	*ret = TAKE_PTR(text);
	*ret_size = size;
	return 0;
}

static int report(struct diagnostics *diagnostics, const char *path, int code)
{
	diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, "unreadable", (struct location){path, 0, 0},
		"cannot be read: %s", strerror(-code));
	return -EINVAL;
}

static int load_stream(
	struct document_list *list, const char *name, FILE *stream, struct diagnostics *diagnostics)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	int r = read_stream(stream, &text, &size);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return report(diagnostics, name, r);
	return documents_parse(list, name, text, size, diagnostics);
}

static int load_file(struct document_list *list, const char *path, struct diagnostics *diagnostics)
{
	_cleanup_file_ FILE *stream = fopen(path, "re");

	if (!stream)
		return report(diagnostics, path, -errno);
	return load_stream(list, path, stream, diagnostics);
}

static int is_document_file(const struct dirent *entry)
{
	static const char *const endings[] = {".yaml", ".yml", ".json"};
	const char *dot = strrchr(entry->d_name, '.');

	for (size_t i = 0; dot && dot != entry->d_name && i < ARRAY_SIZE(endings); i++)
		if (!strcmp(dot, endings[i]))
			return 1;
	return 0;
}

/* By bytes: the order must not depend on the locale. */
static int compare_entries(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_entry(struct document_list *list, const char *directory, const char *name,
	struct diagnostics *diagnostics)
{
	_cleanup_free_ char *path = NULL;
	size_t length = strlen(directory);

	if (asprintf(&path, "%s%s%s", directory, directory[length - 1] == '/' ? "" : "/", name) <
		0) {
		path = NULL;
		return -ENOMEM;
	}
	return load_file(list, path, diagnostics);
}

static int load_directory(
	struct document_list *list, const char *path, struct diagnostics *diagnostics)
{
	struct dirent **entries;
	int count = scandir(path, &entries, is_document_file, compare_entries);
	int result = 0;

	if (count < 0)
		return report(diagnostics, path, -errno);
	if (!count)
		diagnostics_add(diagnostics, DIAGNOSTIC_WARNING, "empty",
			(struct location){path, 0, 0}, "holds no *.yaml, *.yml or *.json");
	for (int i = 0; i < count; i++) {
		if (result != -ENOMEM) {
			int r = load_entry(list, path, entries[i]->d_name, diagnostics);

			result = r < 0 ? r : result;
		}
		free(entries[i]);
	}
	free(entries);
	return result;
}

static int load(struct document_list *list, const char *path, struct diagnostics *diagnostics)
{
	struct stat status;

	if (!strcmp(path, "-"))
		return load_stream(list, "<stdin>", stdin, diagnostics);
	if (stat(path, &status) < 0)
		return report(diagnostics, path, -errno);
	return S_ISDIR(status.st_mode) ? load_directory(list, path, diagnostics)
				       : load_file(list, path, diagnostics);
}

int documents_load(struct document_list *list, const char *path, struct diagnostics *diagnostics)
{
	_cleanup_(documents_clear) struct document_list loaded = {0};
	int r = load(&loaded, path, diagnostics);

	return r < 0 ? r : documents_append(list, &loaded);
}
