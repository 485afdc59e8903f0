/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dump_cursor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BYTES (sizeof(((struct dump_cursor *)NULL)->token) + 2)

_Static_assert(BYTES * 2 + 1 == DUMP_CURSOR_TEXT_MAX, "two digits a byte");

const char *dump_cursor_format(
	const struct dump_cursor *cursor, char text[static DUMP_CURSOR_TEXT_MAX])
{
	uint8_t bytes[BYTES] = {cursor->phase, cursor->started};

	memcpy(bytes + 2, cursor->token, sizeof(cursor->token));
	for (size_t i = 0; i < BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return text;
}

static int digit(char character)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = character ? strchr(digits, character) : NULL;

	return found ? (int)(found - digits) : -1;
}

int dump_cursor_parse(const char *text, struct dump_cursor *ret)
{
	uint8_t bytes[BYTES];

	if (strlen(text) != 2 * BYTES)
		return -EINVAL;
	for (size_t i = 0; i < BYTES; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	*ret = (struct dump_cursor){.phase = bytes[0], .started = bytes[1]};
	memcpy(ret->token, bytes + 2, sizeof(ret->token));
	return 0;
}
