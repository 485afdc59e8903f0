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
#define PARTIAL ".part"

struct reading {
	const struct flow_filter *filter;
	void (*record)(json_t *record, void *userdata);
	void *userdata;
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
		reading->record(record, reading->userdata);
}

/* Takes fd. A file whose end is damaged still gives what is before it. */
static int read_lines(struct reading *reading, int fd, const char *path, struct error *error)
{
	_cleanup_(log_reader_freep) struct log_reader *reader = NULL;
	const char *line;
	size_t length;
	int result = log_reader_new(fd, is_compressed(fd), &reader);

	if (result < 0) {
		close(fd);
		return error_nomem(error);
	}
	while ((result = log_reader_next(reader, &line, &length)) > 0)
		take_line(reading, line, length);
	if (result == -EBADMSG)
		return error_set(error, result,
			"%s is no flow log, or damaged: read up to where it is", path);
	return result < 0 ? error_errno(error, result, "read %s", path) : 0;
}

static int read_file(struct reading *reading, int directory, const char *name, const char *path,
	struct error *error)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(error, -errno, "read %s", path);
	return read_lines(reading, fd, path, error);
}

static int is_log(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name), suffix = strlen(PARTIAL);

	return strncmp(entry->d_name, ROTATED, strlen(ROTATED)) == 0 &&
	       (length < suffix || strcmp(entry->d_name + length - suffix, PARTIAL) != 0);
}

static int read_directory(struct reading *reading, const char *path, struct error *error)
{
	_cleanup_close_ int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **names = NULL;
	int count, result = 0;

	if (directory < 0)
		return error_errno(error, -errno, "read %s", path);
	count = scandirat(directory, ".", &names, is_log, alphasort);
	if (count < 0)
		return error_errno(error, -errno, "list %s", path);
	for (int i = 0; i < count; i++) {
		_cleanup_free_ struct dirent *entry = names[i];
		_cleanup_free_ char *full = text_format("%s/%s", path, entry->d_name);

		if (result == 0)
			result = read_file(reading, directory, entry->d_name, full, error);
	}
	free(names);
	if (result == 0 && (faccessat(directory, CURRENT, F_OK, 0) == 0 || count == 0)) {
		_cleanup_free_ char *full = text_format("%s/" CURRENT, path);

		result = read_file(reading, directory, CURRENT, full, error);
	}
	return result;
}

int log_file_read(const char *path, const struct flow_filter *filter,
	void (*record)(json_t *record, void *userdata), void *userdata, size_t *ret_damaged,
	struct error *error)
{
	struct reading reading = {.filter = filter, .record = record, .userdata = userdata};
	struct stat status;
	int result;

	if (strcmp(path, "-") == 0)
		result = read_lines(&reading, dup(STDIN_FILENO), "standard input", error);
	else if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		result = read_directory(&reading, path, error);
	else
		result = read_file(&reading, AT_FDCWD, path, path, error);
	*ret_damaged = reading.damaged;
	return result;
}
