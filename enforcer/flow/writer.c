/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/writer.h"

#include "flow/digits.h"

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

static unsigned int count_digits(uint64_t number)
{
	static const uint64_t least[] = {0, 10, 100, 1000, 10000, 100000, 1000000, 10000000,
		100000000, 1000000000, 10000000000, 100000000000, 1000000000000, 10000000000000,
		100000000000000, 1000000000000000, 10000000000000000, 100000000000000000,
		1000000000000000000, 10000000000000000000U};
	unsigned int bits = 64 - (unsigned int)__builtin_clzll(number | 1);
	unsigned int full = bits * 1233 >> 12; /* log10(2) = 1233/4096, nearly */

	return full + (number >= least[full]);
}

void writer_uint(struct writer *writer, uint64_t number)
{
	unsigned int digits = count_digits(number);
	char *end;

	if (writer->capacity - writer->length < digits && !writer_grow(writer, digits))
		return;
	writer->length += digits;
	end = writer->data + writer->length;
	for (; number >= 100; number /= 100)
		put_two_digits(end -= 2, (unsigned int)(number % 100));
	if (number >= 10)
		put_two_digits(end - 2, (unsigned int)number);
	else
		end[-1] = (char)('0' + number);
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
