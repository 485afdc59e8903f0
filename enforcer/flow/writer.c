/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/writer.h"

#include "flow/put.h"

#include <stdlib.h>

#define CAPACITY_MIN 1024

bool writer_grow(struct writer *writer, size_t length)
{
	size_t capacity = writer->capacity ? writer->capacity : CAPACITY_MIN;
	char *data;

	while (capacity - writer->length < length)
		capacity *= 2;
	data = realloc(writer->data, capacity);
	if (!data) {
		writer->failed = true;
		return false;
	}
	writer->data = data;
	writer->capacity = capacity;
	return true;
}

void writer_uint(struct writer *writer, uint64_t number)
{
	char *text = writer_room(writer, PUT_UINT_MAX);

	if (text)
		writer_end(writer, put_uint(text, number));
}

void writer_reset(struct writer *writer)
{
	writer->length = 0;
	writer->failed = false;
}

void writer_clear(struct writer *writer)
{
	free(writer->data);
	*writer = (struct writer)WRITER_INIT;
}
