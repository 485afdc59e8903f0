/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/log.h"

#include "base/cleanup.h"
#include "flow/archive.h"
#include "flow/record.h"
#include "flow/timestamp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_BYTES        (1 << 20)
#define WRITE_BYTES         (512 << 10) /* worth a system call before the second is over */
#define FLUSH_USEC          900000
#define FLUSH_ACCURACY_USEC 50000

struct flow_log {
	char *directory;
	const char *name;
	uint64_t file_bytes_max;
	uint64_t total_bytes;
	uint64_t file_age_ns;
	const struct name *node;
	sd_event *event;
	sd_event_source *timer;  /* runs while something waits */
	struct archive *archive; /* NULL: the directory could not be opened yet */
	int fd;
	uint64_t file_bytes;
	uint64_t file_ns;   /* when it began */
	struct error error; /* why the last attempt failed */
	uint64_t lost;      /* since the last gap record */
	uint64_t lost_total;
	uint64_t failures; /* attempts to write */
	size_t buffered;
	char buffer[BUFFER_BYTES];
};

/* How much of the file is whole lines. */
static int find_last_line_end(int fd, uint64_t size, uint64_t *ret)
{
	char chunk[4096];

	while (size) {
		size_t length = size < sizeof(chunk) ? (size_t)size : sizeof(chunk);
		ssize_t got = pread(fd, chunk, length, (off_t)(size - length));
		const char *newline;

		if (got < 0)
			return -errno;
		newline = memrchr(chunk, '\n', (size_t)got);
		if (newline) {
			*ret = size - length + (size_t)(newline + 1 - chunk);
			return 0;
		}
		size -= length;
	}
	*ret = 0;
	return 0;
}

/* An agent that was killed, or a machine that went down, may have left half a line. */
static int cut_half_line(int fd, uint64_t *size)
{
	uint64_t whole;
	int result = find_last_line_end(fd, *size, &whole);

	if (result < 0 || whole == *size)
		return result;
	if (ftruncate(fd, (off_t)whole) < 0)
		return -errno;
	*size = whole;
	return 0;
}

/* When the first record of the file was written; now where there is none. */
static uint64_t first_record_ns(int fd)
{
	static const char key[] = "\"time\":\"";
	char start[128], *time;
	ssize_t length = pread(fd, start, sizeof(start) - 1, 0);
	uint64_t time_ns;

	start[length > 0 ? length : 0] = '\0';
	time = strstr(start, key);
	if (!time || strlen(time) < strlen(key) + TIMESTAMP_LENGTH)
		return timestamp_now_ns();
	time += strlen(key);
	time[TIMESTAMP_LENGTH] = '\0';
	return timestamp_parse(time, timestamp_now_ns(), &time_ns) < 0 ? timestamp_now_ns()
								       : time_ns;
}

static int open_file(struct flow_log *log, struct error *error)
{
	_cleanup_close_ int fd = -1;
	struct stat status;
	uint64_t size;
	int result;

	fd = openat(archive_directory_fd(log->archive), archive_current(log->archive),
		O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0 || fstat(fd, &status) < 0)
		return error_errno(error, -errno, "open log %s/%s.log", log->directory, log->name);
	size = (uint64_t)status.st_size;
	result = cut_half_line(fd, &size);
	if (result < 0)
		return error_errno(error, result, "write log %s/%s.log", log->directory, log->name);
	log->fd = TAKE_FD(fd);
	log->file_bytes = size;
	log->file_ns = first_record_ns(log->fd);
	return 0;
}

static void close_file(struct flow_log *log)
{
	closep(&log->fd);
	log->fd = -1;
	log->file_bytes = 0;
}

static int prepare(struct flow_log *log, struct error *error)
{
	struct stat status;
	int result;

	/* Someone deleted it, perhaps with its directory: start anew instead of writing to
	 * nowhere. */
	if (log->fd >= 0 && !fstat(log->fd, &status) && !status.st_nlink) {
		close_file(log);
		archive_close(TAKE_PTR(log->archive));
	}
	if (!log->archive) {
		result = archive_open(log->directory, log->name, log->total_bytes, log->event,
			&log->archive, error);
		if (result < 0)
			return result;
	}
	return log->fd >= 0 ? 0 : open_file(log, error);
}

/* How many of length bytes are whole lines and fit into size. */
static size_t whole_lines(const char *lines, size_t length, uint64_t size)
{
	const char *newline = memrchr(lines, '\n', length < size ? length : (size_t)size);

	return newline ? (size_t)(newline + 1 - lines) : 0;
}

static int rotate(struct flow_log *log, struct error *error)
{
	int result = archive_rotate(log->archive, log->file_bytes_max, error);

	if (result < 0)
		return result;
	close_file(log);
	return open_file(log, error);
}

/* Writes whole lines to the current file and says how much. What a full disk left of a line is cut
 * off again. */
static int write_lines(struct flow_log *log, const char *lines, size_t length, size_t *ret_written)
{
	ssize_t written = write(log->fd, lines, length);
	size_t kept;

	if (written < 0)
		return -errno;
	kept = whole_lines(lines, (size_t)written, (size_t)written);
	if (kept < (size_t)written && ftruncate(log->fd, (off_t)(log->file_bytes + kept)) < 0)
		return -errno;
	log->file_bytes += kept;
	*ret_written = kept;
	return kept ? 0 : -ENOSPC;
}

/* One step of writing the buffer from *offset on. */
static int write_some(struct flow_log *log, size_t *offset, struct error *error)
{
	const char *lines = log->buffer + *offset;
	size_t length = log->buffered - *offset, fitting, written = 0;
	uint64_t room =
		log->file_bytes < log->file_bytes_max ? log->file_bytes_max - log->file_bytes : 0;
	int result;

	fitting = whole_lines(lines, length, room);
	if (!fitting && log->file_bytes)
		return rotate(log, error);
	/* A line that is longer than a file may be gets a file of its own. */
	if (!fitting)
		fitting = (size_t)((const char *)memchr(lines, '\n', length) + 1 - lines);
	result = write_lines(log, lines, fitting, &written);
	if (result < 0)
		return error_errno(error, result, "write log %s/%s.log", log->directory, log->name);
	*offset += written;
	return 0;
}

/* A clock that was set back must not keep a file for ever. */
static bool is_old(const struct flow_log *log)
{
	uint64_t now = timestamp_now_ns();

	return log->file_bytes && log->file_age_ns &&
	       (now < log->file_ns || now - log->file_ns >= log->file_age_ns);
}

static int write_buffer(struct flow_log *log, struct error *error)
{
	size_t offset = 0;
	int result = prepare(log, error);

	if (!result && is_old(log))
		result = rotate(log, error);
	while (!result && offset < log->buffered)
		result = write_some(log, &offset, error);
	memmove(log->buffer, log->buffer + offset, log->buffered - offset);
	log->buffered -= offset;
	if (!result)
		archive_grown(log->archive, log->file_bytes);
	return result;
}

/* The buffer is empty when this is called, so there is room. */
static void add_gap(struct flow_log *log)
{
	_cleanup_(writer_clear) struct writer writer = WRITER_INIT;
	struct record gap = {
		.event = {.type = FLOW_GAP, .time_ns = timestamp_now_ns(), .lost = log->lost}};

	record_write(&gap, log->node, &writer);
	if (writer.failed || writer.length > BUFFER_BYTES)
		return;
	memcpy(log->buffer, writer.data, writer.length);
	log->buffered = writer.length;
	log->lost = 0;
}

static int write_out(struct flow_log *log)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	int result = write_buffer(log, &error);

	if (!result && log->lost) {
		add_gap(log);
		result = write_buffer(log, &error);
	}
	error_clear(&log->error);
	if (result < 0) {
		log->failures++;
		log->error = error;
		error = (struct error)ERROR_INIT;
	}
	return result;
}

static void arm_timer(struct flow_log *log)
{
	int enabled = SD_EVENT_OFF;

	if (sd_event_source_get_enabled(log->timer, &enabled) > 0)
		return;
	sd_event_source_set_time_relative(log->timer, FLUSH_USEC);
	sd_event_source_set_enabled(log->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct flow_log *log = userdata;

	(void)source;
	(void)usec;
	if (write_out(log) < 0)
		arm_timer(log);
	return 0;
}

int flow_log_new(const struct flow_log_options *options, sd_event *event, struct flow_log **ret)
{
	_cleanup_(flow_log_freep) struct flow_log *log = calloc(1, sizeof(*log));
	int result;

	if (!log)
		return -ENOMEM;
	log->fd = -1;
	log->directory = strdup(options->directory);
	log->name = options->name ? options->name : ARCHIVE_FLOWS;
	if (!log->directory)
		return -ENOMEM;
	log->file_bytes_max = options->file_bytes;
	log->total_bytes = options->total_bytes;
	log->file_age_ns = options->file_age_ns;
	log->node = options->node;
	log->event = sd_event_ref(event);
	result = sd_event_add_time_relative(event, &log->timer, CLOCK_MONOTONIC, FLUSH_USEC,
		FLUSH_ACCURACY_USEC, on_timer, log);
	if (result < 0)
		return result;
	/* The first attempt is made at once, so that a wrong directory shows from the start. */
	if (!write_out(log))
		sd_event_source_set_enabled(log->timer, SD_EVENT_OFF);
	*ret = TAKE_PTR(log);
	return 0;
}

void flow_log_free(struct flow_log *log)
{
	if (!log)
		return;
	if (log->timer)
		write_out(log);
	sd_event_source_disable_unref(log->timer);
	close_file(log);
	archive_close(log->archive);
	error_clear(&log->error);
	sd_event_unref(log->event);
	free(log->directory);
	free(log);
}

static void lose(struct flow_log *log)
{
	log->lost++;
	log->lost_total++;
}

void flow_log_add(struct flow_log *log, const char *line, size_t length)
{
	/* Once a record is missing, the gap record comes first. */
	if (log->lost || length > BUFFER_BYTES - log->buffered) {
		lose(log);
		arm_timer(log);
		return;
	}
	memcpy(log->buffer + log->buffered, line, length);
	log->buffered += length;
	if (log->buffered < WRITE_BYTES || log->error.code)
		arm_timer(log);
	else if (write_out(log) < 0)
		arm_timer(log);
}

int flow_log_flush(struct flow_log *log, struct error *error)
{
	int result = write_out(log);

	if (result < 0) {
		arm_timer(log);
		return error_set(error, result, "%s", error_message(&log->error));
	}
	return 0;
}

void flow_log_problem(const struct flow_log *log, char **ret_error, uint64_t *ret_lost)
{
	*ret_error = log->error.code ? strdup(error_message(&log->error)) : NULL;
	*ret_lost = log->lost_total;
}

json_t *flow_log_describe(const struct flow_log *log)
{
	struct archive_usage usage = {0};

	if (log->archive)
		archive_usage(log->archive, &usage);
	return json_pack("{s:I, s:I, s:I, s:I, s:s?}", "bytes", (json_int_t)usage.bytes, "files",
		(json_int_t)usage.files, "lost", (json_int_t)log->lost_total, "failures",
		(json_int_t)log->failures, "error",
		log->error.code ? error_message(&log->error) : NULL);
}
