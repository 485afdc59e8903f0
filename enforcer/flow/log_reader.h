/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a file of the flow log line by line: the current one as it is, rotated ones decompressed
 * (RFC 8878). Bounded memory: longer lines than LOG_READER_LINE_MAX are an error. */
#pragma once

#include <stddef.h>

#define LOG_READER_LINE_MAX (1 << 20)

struct log_reader;

/* Takes fd when it succeeds. compressed: the file is a .zst. 0 or -ENOMEM. */
int log_reader_new(int fd, int compressed, struct log_reader **ret);
void log_reader_free(struct log_reader *reader);

/* 1: a line without its newline, valid until the next call; 0: the end, a last line without a
 * newline is not told; -EBADMSG: damaged, or a line is too long; or what reading gave. */
int log_reader_next(struct log_reader *reader, const char **ret_line, size_t *ret_length);

static inline void log_reader_freep(struct log_reader **reader)
{
	log_reader_free(*reader);
}
