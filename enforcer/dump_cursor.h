/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the next page of a table begins, as text that a client gives back. */
#pragma once

#include "dataplane/dump.h"

#define DUMP_CURSOR_TEXT_MAX 69 /* two digits a byte, and NUL */

/* Returns text. */
const char *dump_cursor_format(
	const struct dump_cursor *cursor, char text[static DUMP_CURSOR_TEXT_MAX]);
/* -EINVAL: not what dump_cursor_format() writes. A place that never was is as good as any: the
 * page begins somewhere. */
int dump_cursor_parse(const char *text, struct dump_cursor *ret);
