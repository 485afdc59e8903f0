// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/utf8.h"

#include <string.h>

#define CHARACTER_MAX 4 /* bytes */

/* Of the character that begins with this byte; 0: none does. */
static size_t bytes_of(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc0)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Without the last character, where it is not whole. */
static size_t whole(const char *text, size_t length)
{
	for (size_t back = 1; back <= CHARACTER_MAX && back <= length; back++) {
		size_t bytes = bytes_of((unsigned char)text[length - back]);

		if (bytes)
			return bytes > back ? length - back : length;
	}
	return length;
}

size_t utf8_length(const char *text, size_t max)
{
	return whole(text, strnlen(text, max));
}

size_t utf8_trim(char *text)
{
	size_t length = whole(text, strlen(text));

	text[length] = '\0';
	return length;
}
