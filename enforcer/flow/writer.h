/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A growing buffer for the fast path, which formats half a million records a second. It knows
 * nothing of JSON: every text that could need escaping has been through jansson once (name.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct writer {
	char *data;
	size_t length;
	size_t capacity;
	bool failed; /* out of memory since the last writer_reset(): data is not complete */
};

#define WRITER_INIT               \
	{                         \
		NULL, 0, 0, false \
	}

/* Makes room for length more bytes. false: out of memory, noted in failed. */
bool writer_grow(struct writer *writer, size_t length);
void writer_uint(struct writer *writer, uint64_t number);
/* Keeps the memory. */
void writer_reset(struct writer *writer);
void writer_clear(struct writer *writer);

/* Inline, since most calls append a few bytes that the compiler knows. */
static inline void writer_bytes(struct writer *writer, const char *bytes, size_t length)
{
	if (writer->capacity - writer->length < length && !writer_grow(writer, length))
		return;
	memcpy(writer->data + writer->length, bytes, length);
	writer->length += length;
}

/* Where the caller puts up to length bytes, to say with writer_end() what comes behind them. NULL:
 * as writer_grow(). */
static inline char *writer_room(struct writer *writer, size_t length)
{
	if (writer->capacity - writer->length < length && !writer_grow(writer, length))
		return NULL;
	return writer->data + writer->length;
}

static inline void writer_end(struct writer *writer, const char *end)
{
	writer->length = (size_t)(end - writer->data);
}

#define writer_literal(writer, literal) writer_bytes(writer, literal, sizeof(literal) - 1)
