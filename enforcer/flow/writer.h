/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A growing buffer for the fast path, which formats half a million records a second. It knows
 * nothing of JSON: every text that could need escaping has been through jansson once (name.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

void writer_bytes(struct writer *writer, const char *bytes, size_t length);
void writer_uint(struct writer *writer, uint64_t number);
/* Keeps the memory. */
void writer_reset(struct writer *writer);
void writer_clear(struct writer *writer);

#define writer_literal(writer, literal) writer_bytes(writer, literal, sizeof(literal) - 1)
