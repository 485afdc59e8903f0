/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "listing_log.h"

#include "lines.h"
#include "log_file.h"
#include "newest.h"
#include "output.h"
#include "record.h"
#include "text.h"

#include <string.h>

void log_files_add(struct log_files *files, const char *path)
{
	files->paths = must(reallocarray(files->paths, files->count + 1, sizeof(*files->paths)));
	files->paths[files->count++] = path;
}

void log_files_clear(struct log_files *files)
{
	free(files->paths);
}

static void keep(json_t *record, void *userdata)
{
	newest_add(userdata, record);
}

static void print(json_t *record, void *userdata)
{
	lines_print(userdata, record);
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
	struct newest newest = newest_make(filter->limit);
	int code = log_files_read(settings, files, filter->flow_filter, keep, &newest);
	json_t *records = newest_take(&newest);

	*ret = must(
		json_pack("{s:o, s:I}", "flows", records, "gaps", (json_int_t)count_gaps(records)));
	return code;
}

int log_files_print(
	const struct settings *settings, const struct log_files *files, const struct filter *filter)
{
	return log_files_read(settings, files, filter->flow_filter, print, (void *)settings);
}
