// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/search.h"

#include "base/cleanup.h"
#include "flow/archive.h"
#include "flow/compressor.h"
#include "flow/log_reader.h"
#include "flow/record.h"
#include "flow/timestamp.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define STEP_LINES 200 /* some milliseconds where each must be parsed */

/* Records of one file that match: the newest so many, as a ring. */
struct find {
	json_t **records;
	size_t first;
	size_t count;
};

struct search {
	int directory_fd;
	struct dirent **names; /* rotated files, oldest first */
	int names_left;        /* those before the one that is read */
	struct log_reader *reader;
	struct flow_filter *filter;
	char since[TIMESTAMP_LENGTH + 1];
	char until[TIMESTAMP_LENGTH + 1];
	size_t limit; /* of records still wanted */
	struct find find;
	json_t *found; /* of the files that are done, oldest first */
	uint64_t gaps; /* records that were lost in that time */
	sd_event_source *source;
	void (*done)(json_t *answer, const struct error *error, void *userdata);
	void *userdata;
};

static void find_clear(struct find *find)
{
	for (size_t i = 0; i < find->count; i++)
		json_decref(find->records[i]);
	find->first = find->count = 0;
}

static void destroy(struct search *search)
{
	if (search->find.records)
		find_clear(&search->find);
	free(search->find.records);
	while (search->names_left > 0)
		free(search->names[--search->names_left]);
	free(search->names);
	log_reader_free(search->reader);
	flow_filter_free(search->filter);
	json_decref(search->found);
	sd_event_source_disable_unref(search->source);
	closep(&search->directory_fd);
	free(search);
}

DEFINE_CLEANUP(struct search *, destroy)

static void end(struct search *search, json_t *answer, const struct error *error)
{
	search->done(answer, error, search->userdata);
	destroy(search);
}

void search_free(struct search *search)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!search)
		return;
	error_set(&error, -ECANCELED, "the agent stops");
	end(search, NULL, &error);
}

static void find_add(struct search *search, json_t *record)
{
	struct find *find = &search->find;

	if (find->count < search->limit) {
		find->records[find->count++] = record;
		return;
	}
	json_decref(find->records[find->first]);
	find->records[find->first] = record;
	find->first = (find->first + 1) % find->count;
}

/* Every line begins {"schema":1,"time":"…": most need not be parsed to see that their time is
 * another. */
static bool may_be_in_time(const struct search *search, const char *line, size_t length)
{
	static const char start[] = "{\"schema\":1,\"time\":\"";
	const char *time = line + strlen(start);

	if (length < strlen(start) + TIMESTAMP_LENGTH || memcmp(line, start, strlen(start)))
		return true;
	return memcmp(time, search->since, TIMESTAMP_LENGTH) >= 0 &&
	       memcmp(time, search->until, TIMESTAMP_LENGTH) <= 0;
}

static void look_at(struct search *search, const char *line, size_t length)
{
	struct record record;
	json_t *json;

	if (!may_be_in_time(search, line, length))
		return;
	json = json_loadb(line, length, 0, NULL);
	if (!json || record_from_json(json, &record) < 0) {
		json_decref(json);
		return;
	}
	if (!filter_matches(search->filter, &record, record.event.time_ns)) {
		json_decref(json);
	} else if (record.event.type == FLOW_GAP) {
		search->gaps += record.event.lost;
		json_decref(json);
	} else {
		find_add(search, json);
	}
	record_clear(&record);
}

/* What was found in this file is older than all before. */
static int keep_found(struct search *search)
{
	struct find *find = &search->find;
	json_t *all = json_array();
	int result = all ? 0 : -ENOMEM;

	for (size_t i = 0; !result && i < find->count; i++)
		if (json_array_append(all, find->records[(find->first + i) % find->count]) < 0)
			result = -ENOMEM;
	if (!result && json_array_extend(all, search->found) < 0)
		result = -ENOMEM;
	if (result) {
		json_decref(all);
		return result;
	}
	json_decref(search->found);
	search->found = all;
	search->limit -= find->count;
	find_clear(find);
	return 0;
}

/* "flows-20261121T011900.123456Z": when its last line was written. */
static bool ended_before(const struct search *search, const char *name)
{
	char time[TIMESTAMP_LENGTH + 1];
	const char *digits = name + strlen(ARCHIVE_PREFIX);

	if (strlen(digits) < strlen("20261121T011900.123456Z"))
		return false;
	snprintf(time, sizeof(time), "%.4s-%.2s-%.5s:%.2s:%.10s", digits, digits + 4, digits + 6,
		digits + 11, digits + 13);
	return strcmp(time, search->since) < 0;
}

static int open_file(struct search *search, const char *name)
{
	_cleanup_close_ int fd = -1;
	size_t length = strlen(name), suffix = strlen(COMPRESSOR_SUFFIX);
	int result;

	fd = openat(search->directory_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	result = log_reader_new(fd,
		length > suffix && !strcmp(name + length - suffix, COMPRESSOR_SUFFIX),
		&search->reader);
	if (!result)
		TAKE_FD(fd);
	return result;
}

/* 1: the next older file is open; 0: there is none that could help. A file that went away, or was
 * compressed meanwhile, is found under its other name or not at all. */
static int open_next(struct search *search)
{
	while (search->names_left > 0 && search->limit) {
		_cleanup_free_ struct dirent *entry = search->names[--search->names_left];
		char other[sizeof(entry->d_name) + sizeof(COMPRESSOR_SUFFIX)];
		int result;

		if (ended_before(search, entry->d_name))
			return 0;
		result = open_file(search, entry->d_name);
		if (result == -ENOENT) {
			snprintf(other, sizeof(other), "%s" COMPRESSOR_SUFFIX, entry->d_name);
			result = open_file(search, other);
		}
		if (result != -ENOENT)
			return result < 0 ? result : 1;
	}
	return 0;
}

/* 1: there is more to do; 0: all was looked at. */
static int step(struct search *search)
{
	const char *line;
	size_t length;
	int result = search->reader ? 1 : 0;

	for (int i = 0; i < STEP_LINES && result > 0; i++) {
		result = log_reader_next(search->reader, &line, &length);
		if (result > 0)
			look_at(search, line, length);
	}
	/* What a damaged file still gave is kept. */
	if (result > 0 || (result < 0 && result != -EBADMSG))
		return result;
	log_reader_free(TAKE_PTR(search->reader));
	result = keep_found(search);
	return result < 0 ? result : open_next(search);
}

static int on_idle(sd_event_source *source, void *userdata)
{
	struct search *search = userdata;
	_cleanup_error_ struct error error = ERROR_INIT;
	int result = step(search);

	(void)source;
	if (result > 0)
		return 0;
	if (result < 0) {
		error_errno(&error, result, "read the flow log");
		end(search, NULL, &error);
		return 0;
	}
	end(search,
		json_pack("{s:O, s:I}", "flows", search->found, "gaps", (json_int_t)search->gaps),
		NULL);
	return 0;
}

static int is_log_file(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name), suffix = strlen(COMPRESSOR_PART_SUFFIX);

	return !strncmp(entry->d_name, ARCHIVE_PREFIX, strlen(ARCHIVE_PREFIX)) &&
	       (length < suffix || strcmp(entry->d_name + length - suffix, COMPRESSOR_PART_SUFFIX));
}

/* The current file is the newest. */
static int open_files(struct search *search, const char *directory, struct error *error)
{
	int count, result;

	search->directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (search->directory_fd < 0)
		return error_errno(error, -errno, "open flow log directory %s", directory);
	count = scandirat(search->directory_fd, ".", &search->names, is_log_file, alphasort);
	if (count < 0)
		return error_errno(error, -errno, "list flow log directory %s", directory);
	search->names_left = count;
	result = open_file(search, ARCHIVE_CURRENT);
	if (result == -ENOENT)
		result = open_next(search);
	return result < 0 ? error_errno(error, result, "open the flow log in %s", directory) : 0;
}

static int prepare(struct search *search, const struct flow_filter *filter, struct error *error)
{
	uint64_t until_ns = filter_until_ns(filter);

	timestamp_format(filter_since_ns(filter), search->since);
	timestamp_format(until_ns ? until_ns : UINT64_MAX, search->until);
	search->limit = filter_limit(filter);
	if (search->limit > SEARCH_RECORDS_MAX)
		search->limit = SEARCH_RECORDS_MAX;
	search->found = json_array();
	search->find.records = calloc(search->limit, sizeof(json_t *));
	return search->found && search->find.records ? 0 : error_nomem(error);
}

int search_new(const char *directory, struct flow_filter *filter, sd_event *event,
	void (*done)(json_t *answer, const struct error *error, void *userdata), void *userdata,
	struct search **ret, struct error *error)
{
	_cleanup_(destroyp) struct search *search = calloc(1, sizeof(*search));
	int result;

	if (!search)
		return error_nomem(error);
	search->directory_fd = -1;
	search->done = done;
	search->userdata = userdata;
	result = prepare(search, filter, error);
	if (!result)
		result = open_files(search, directory, error);
	if (result < 0)
		return result;
	result = sd_event_add_defer(event, &search->source, on_idle, search);
	if (result < 0)
		return error_errno(error, result, "search the flow log");
	sd_event_source_set_enabled(search->source, SD_EVENT_ON);
	sd_event_source_set_priority(search->source, SD_EVENT_PRIORITY_IDLE);
	search->filter = filter;
	*ret = TAKE_PTR(search);
	return 0;
}
