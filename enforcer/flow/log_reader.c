// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/log_reader.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define CHUNK_BYTES 65536
#define TEXT_BYTES  (2 * LOG_READER_LINE_MAX)

struct log_reader {
	int fd;
	ZSTD_DCtx *context; /* NULL: the file is not compressed */
	ZSTD_inBuffer input;
	size_t start; /* of what was not told yet, in text */
	size_t length;
	char chunk[CHUNK_BYTES];
	char text[TEXT_BYTES];
};

int log_reader_new(int fd, int compressed, struct log_reader **ret)
{
	struct log_reader *reader = malloc(sizeof(*reader));

	if (!reader)
		return -ENOMEM;
	reader->fd = -1;
	reader->start = reader->length = 0;
	reader->input = (ZSTD_inBuffer){reader->chunk, 0, 0};
	reader->context = compressed ? ZSTD_createDCtx() : NULL;
	if (compressed && !reader->context) {
		free(reader);
		return -ENOMEM;
	}
	reader->fd = fd;
	*ret = reader;
	return 0;
}

void log_reader_free(struct log_reader *reader)
{
	if (!reader)
		return;
	closep(&reader->fd);
	ZSTD_freeDCtx(reader->context);
	free(reader);
}

/* Bytes of text that were added; 0: the end. */
static ssize_t fill_plain(struct log_reader *reader)
{
	ssize_t length = read(reader->fd, reader->text + reader->length, CHUNK_BYTES);

	return length < 0 ? -errno : length;
}

static ssize_t fill_compressed(struct log_reader *reader)
{
	ZSTD_outBuffer output = {reader->text + reader->length, CHUNK_BYTES, 0};

	while (!output.pos) {
		size_t result;

		if (reader->input.pos == reader->input.size) {
			ssize_t length = read(reader->fd, reader->chunk, sizeof(reader->chunk));

			if (length <= 0)
				return length < 0 ? -errno : 0;
			reader->input = (ZSTD_inBuffer){reader->chunk, (size_t)length, 0};
		}
		result = ZSTD_decompressStream(reader->context, &output, &reader->input);
		if (ZSTD_isError(result))
			return -EBADMSG;
	}
	return (ssize_t)output.pos;
}

static ssize_t fill(struct log_reader *reader)
{
	ssize_t added;

	memmove(reader->text, reader->text + reader->start, reader->length - reader->start);
	reader->length -= reader->start;
	reader->start = 0;
	if (reader->length > LOG_READER_LINE_MAX)
		return -EBADMSG;
	added = reader->context ? fill_compressed(reader) : fill_plain(reader);
	if (added > 0)
		reader->length += (size_t)added;
	return added;
}

int log_reader_next(struct log_reader *reader, const char **ret_line, size_t *ret_length)
{
	for (;;) {
		const char *from = reader->text + reader->start;
		const char *newline = memchr(from, '\n', reader->length - reader->start);
		ssize_t added;

		if (newline) {
			*ret_line = from;
			*ret_length = (size_t)(newline - from);
			reader->start += *ret_length + 1;
			return 1;
		}
		added = fill(reader);
		if (added <= 0)
			return (int)added;
	}
}
