/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/xdp/deny_file.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MISTAKES_MAX 8
#define QUOTE_MAX    60

struct reader {
	const char *name;
	unsigned long line;
	unsigned int mistakes;
	struct error *error;
};

/* Without comment and white space around; text is changed. */
static char *trim(char *text)
{
	static const char white[] = " \t\r\n\v\f";
	size_t length;

	text[strcspn(text, "#;")] = '\0';
	text += strspn(text, white);
	length = strlen(text);
	while (length && strchr(white, text[length - 1]))
		length--;
	text[length] = '\0';
	return text;
}

static int parse(const char *text, struct prefix *ret)
{
	if (strchr(text, '/'))
		return prefix_parse(text, ret);
	if (address_parse(text, &ret->address) < 0)
		return -EINVAL;
	ret->length = 128;
	return 0;
}

/* Mistakes are told together: the message grows. */
static void mistake(struct reader *reader, const char *text, const char *what)
{
	_cleanup_free_ char *former = NULL;

	if (reader->mistakes++ >= MISTAKES_MAX || !reader->error)
		return;
	if (reader->error->message)
		former = strdup(reader->error->message);
	error_set(reader->error, -EINVAL, "%s%s%s:%lu: '%.*s' %s", former ? former : "",
		former ? "; " : "", reader->name, reader->line, QUOTE_MAX, text, what);
}

static int take(struct reader *reader, const char *text, struct deny_ranges *ranges)
{
	char expected[PREFIX_TEXT_MAX + 64], canonical[PREFIX_TEXT_MAX];
	struct prefix prefix;
	int r = parse(text, &prefix);

	if (r == -ERANGE) {
		snprintf(expected, sizeof(expected), "has bits behind its length, expected %s",
			prefix_format(&prefix, canonical));
		mistake(reader, text, expected);
		return 0;
	}
	if (r < 0) {
		mistake(reader, text,
			"is no prefix, expected one like 192.0.2.0/24 or 2001:db8::/32, or an "
			"address");
		return 0;
	}
	if (prefix.length == (prefix_is_ipv4(&prefix) ? 96 : 0)) {
		mistake(reader, text, "would deny everything, expected a longer prefix");
		return 0;
	}
	return deny_ranges_add(ranges, &prefix);
}

static int finish(struct reader *reader)
{
	if (!reader->mistakes)
		return 0;
	if (reader->mistakes > MISTAKES_MAX && reader->error) {
		_cleanup_free_ char *former = strdup(error_message(reader->error));

		error_set(reader->error, -EINVAL, "%s; and %u more", former ? former : "",
			reader->mistakes - MISTAKES_MAX);
	}
	return -EINVAL;
}

int deny_stream_read(FILE *stream, const char *name, struct deny_ranges *ranges,
	size_t *ret_prefixes, struct error *error)
{
	struct reader reader = {.name = name, .error = error};
	_cleanup_free_ char *line = NULL;
	size_t room = 0, prefixes = 0;
	ssize_t length;

	while ((errno = 0, length = getline(&line, &room, stream)) >= 0) {
		bool is_text = !memchr(line, '\0', (size_t)length);
		const char *text = trim(line);
		int r;

		reader.line++;
		if (!is_text)
			mistake(&reader, text, "goes on with a zero byte, expected text");
		if (!is_text || !*text)
			continue;
		r = take(&reader, text, ranges);
		if (r < 0)
			return error_errno(error, r, "%s:%lu", name, reader.line);
		prefixes++;
	}
	if (!feof(stream))
		return error_errno(error, errno ? -errno : -EIO, "read deny list %s", name);
	if (finish(&reader) < 0)
		return -EINVAL;
	*ret_prefixes = prefixes;
	return 0;
}

int deny_file_read(
	const char *path, struct deny_ranges *ranges, size_t *ret_prefixes, struct error *error)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	_cleanup_file_ FILE *file = NULL;
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return error_errno(error, -errno, "open deny list %s", path);
	/* A pipe could keep whoever reads it waiting for ever. */
	if (!S_ISREG(status.st_mode))
		return error_set(error, -EINVAL, "deny list %s is no regular file", path);
	file = fdopen(fd, "r");
	if (!file)
		return error_errno(error, -errno, "open deny list %s", path);
	TAKE_FD(fd);
	return deny_stream_read(file, path, ranges, ret_prefixes, error);
}
