/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "log_file.h"

#include "base/cleanup.h"
#include "client.h"
#include "flow/log_reader.h"
#include "record.h"
#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As the agent names them (enforcer/segd.8): the current file is the newest. */
#define CURRENT "flows.log"
#define ROTATED "flows-"
#define PACKED  ".zst"
#define PARTIAL ".part"

struct reading {
	const struct flow_filter *filter;
	const struct log_taker *taker;
	size_t damaged;
};

/* By what it begins with (RFC 8878), since files are renamed. What cannot be read twice is taken
 * for plain. */
static bool is_compressed(int fd)
{
	static const unsigned char magic[] = {0x28, 0xb5, 0x2f, 0xfd};
	unsigned char start[sizeof(magic)];

	return pread(fd, start, sizeof(start), 0) == (ssize_t)sizeof(start) &&
	       memcmp(start, magic, sizeof(magic)) == 0;
}

static void take_line(struct reading *reading, const char *line, size_t length)
{
	_cleanup_json_ json_t *record = NULL;

	if (!length)
		return;
	record = json_loadb(line, length, 0, NULL);
	if (!json_is_object(record) || !*field_text(record, "event"))
		reading->damaged++;
	else if (flow_filter_matches(reading->filter, record))
		reading->taker->record(record, reading->taker->userdata);
}

static void fail(const struct reading *reading, const struct error *error)
{
	reading->taker->failed(error, reading->taker->userdata);
}

/* Takes fd. A file whose end is damaged still gives what is before it. */
static void read_lines(struct reading *reading, int fd, const char *path)
{
	_cleanup_(log_reader_freep) struct log_reader *reader = NULL;
	_cleanup_error_ struct error error = ERROR_INIT;
	const char *line;
	size_t length;
	int result = log_reader_new(fd, is_compressed(fd), &reader);

	if (result < 0) {
		close(fd);
		error_nomem(&error);
		fail(reading, &error);
		return;
	}
	while ((result = log_reader_next(reader, &line, &length)) > 0)
		take_line(reading, line, length);
	if (result == -EBADMSG)
		error_set(&error, result, "%s is no flow log, or damaged: read up to where it is",
			path);
	else if (result < 0)
		error_errno(&error, result, "read %s", path);
	if (result < 0)
		fail(reading, &error);
}

/* errno says why. */
static void fail_to(const struct reading *reading, const char *what, const char *path)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	error_errno(&error, -errno, "%s %s", what, path);
	fail(reading, &error);
}

static void read_file(struct reading *reading, int directory, const char *name, const char *path)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail_to(reading, "read", path);
	else
		read_lines(reading, fd, path);
}

static int is_log(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name), suffix = strlen(PARTIAL);

	return strncmp(entry->d_name, ROTATED, strlen(ROTATED)) == 0 &&
	       (length < suffix || strcmp(entry->d_name + length - suffix, PARTIAL) != 0);
}

/* Is packed what the agent makes of plain? Both are there for a moment, or after it was killed. */
static bool is_packed_of(const char *packed, const char *plain)
{
	size_t length = strlen(plain);

	return strncmp(packed, plain, length) == 0 && strcmp(packed + length, PACKED) == 0;
}

static bool is_file_of(int fd, int directory, const char *name)
{
	struct stat one, other;

	return fd >= 0 && fstat(fd, &one) == 0 && fstatat(directory, name, &other, 0) == 0 &&
	       one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* Since it was listed it may have been packed. */
static void read_rotated(struct reading *reading, int directory, const char *name, const char *path)
{
	_cleanup_free_ char *packed = text_format("%s" PACKED, name);
	_cleanup_free_ char *packed_path = text_format("%s/%s", path, packed);
	_cleanup_free_ char *full = text_format("%s/%s", path, name);

	if (faccessat(directory, name, F_OK, 0) < 0 && faccessat(directory, packed, F_OK, 0) == 0)
		read_file(reading, directory, packed, packed_path);
	else
		read_file(reading, directory, name, full);
}

/* current: the file that was the newest before they are listed. */
static int read_rotated_files(struct reading *reading, int directory, const char *path, int current)
{
	struct dirent **names = NULL;
	int count = scandirat(directory, ".", &names, is_log, alphasort);

	if (count < 0)
		fail_to(reading, "list", path);
	for (int i = 0; i < count; i++) {
		_cleanup_free_ struct dirent *entry = names[i];

		if (!(i + 1 < count && is_packed_of(names[i + 1]->d_name, entry->d_name)) &&
			!is_file_of(current, directory, entry->d_name))
			read_rotated(reading, directory, entry->d_name, path);
	}
	free(names);
	return count;
}

static void read_directory(struct reading *reading, const char *path)
{
	_cleanup_close_ int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *full = text_format("%s/" CURRENT, path);
	int current, count;

	if (directory < 0) {
		fail_to(reading, "read", path);
		return;
	}
	/* Before the others, which takes its time: it may be one of them by then. */
	current = openat(directory, CURRENT, O_RDONLY | O_CLOEXEC);
	count = read_rotated_files(reading, directory, path, current);
	if (current >= 0)
		read_lines(reading, current, full);
	else if (faccessat(directory, CURRENT, F_OK, 0) == 0 || count == 0)
		read_file(reading, directory, CURRENT, full);
}

size_t log_file_read(
	const char *path, const struct flow_filter *filter, const struct log_taker *taker)
{
	struct reading reading = {.filter = filter, .taker = taker};
	struct stat status;

	if (strcmp(path, "-") == 0)
		read_lines(&reading, dup(STDIN_FILENO), "standard input");
	else if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		read_directory(&reading, path);
	else
		read_file(&reading, AT_FDCWD, path, path);
	return reading.damaged;
}
