/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "listing_log.h"

#include "lines.h"
#include "log_file.h"
#include "output.h"
#include "record.h"
#include "text.h"

#include <string.h>

struct collection {
	const struct settings *settings;
	json_t *records;
	size_t limit; /* 0: none */
};

void log_files_add(struct log_files *files, const char *path)
{
	files->paths = must(reallocarray(files->paths, files->count + 1, sizeof(*files->paths)));
	files->paths[files->count++] = path;
}

void log_files_clear(struct log_files *files)
{
	free(files->paths);
}

/* Keeps the last limit records; called rarely enough for the cost of a record to stay the same. */
static void trim(struct collection *collection)
{
	size_t count = json_array_size(collection->records);
	json_t *kept;

	if (!collection->limit || count <= collection->limit)
		return;
	kept = must(json_array());
	for (size_t i = count - collection->limit; i < count; i++)
		json_array_append(kept, json_array_get(collection->records, i));
	json_decref(collection->records);
	collection->records = kept;
}

static void keep(json_t *record, void *userdata)
{
	struct collection *collection = userdata;

	json_array_append(collection->records, record);
	if (json_array_size(collection->records) >= 2 * collection->limit)
		trim(collection);
}

static void print(json_t *record, void *userdata)
{
	const struct collection *collection = userdata;

	lines_print(collection->settings, record);
}

/* --- reading ------------------------------------------------------------------------------------
 */

struct reading {
	const struct settings *settings;
	void (*record)(json_t *record, void *userdata);
	void *userdata;
	int code;
};

static void take(json_t *record, void *userdata)
{
	const struct reading *reading = userdata;

	reading->record(record, reading->userdata);
}

static void tell_failure(const struct error *error, void *userdata)
{
	struct reading *reading = userdata;

	reading->code = report(reading->settings, error);
}

static void tell_damage(struct reading *reading, const char *path, size_t damaged)
{
	_cleanup_free_ char *lines = output_plural((double)damaged, "line is", "lines are");

	fflush(stdout);
	fprintf(stderr, "%s: %s: %s no flow record\n", reading->settings->program, path, lines);
	reading->code = EXIT_NO;
}

int log_files_read(const struct settings *settings, const struct log_files *files,
	const struct flow_filter *filter, void (*record)(json_t *record, void *userdata),
	void *userdata)
{
	struct reading reading = {.settings = settings, .record = record, .userdata = userdata};
	const struct log_taker taker = {
		.record = take, .failed = tell_failure, .userdata = &reading};

	for (size_t i = 0; i < files->count; i++) {
		size_t damaged = log_file_read(files->paths[i], filter, &taker);

		if (damaged)
			tell_damage(&reading, files->paths[i], damaged);
	}
	return reading.code;
}

static size_t count_gaps(const json_t *records)
{
	const json_t *record;
	size_t i, count = 0;

	json_array_foreach (records, i, record) {
		count += strcmp(field_text(record, "event"), "gap") == 0;
	}
	return count;
}

int log_files_collect(const struct settings *settings, const struct log_files *files,
	const struct filter *filter, json_t **ret)
{
	struct collection collection = {
		.settings = settings, .records = must(json_array()), .limit = filter->limit};
	int code = log_files_read(settings, files, filter->flow_filter, keep, &collection);

	trim(&collection);
	*ret = must(json_pack("{s:o, s:I}", "flows", collection.records, "gaps",
		(json_int_t)count_gaps(collection.records)));
	return code;
}

int log_files_print(
	const struct settings *settings, const struct log_files *files, const struct filter *filter)
{
	struct collection collection = {.settings = settings};

	return log_files_read(settings, files, filter->flow_filter, print, &collection);
}
