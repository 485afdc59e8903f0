/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "journal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const words[] = {
	[JOURNAL_ERROR] = "error: ",
	[JOURNAL_WARNING] = "warning: ",
	[JOURNAL_NOTICE] = "",
	[JOURNAL_INFO] = "",
};

void journal(enum journal_level level, const char *format, ...)
{
	char line[2048];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>%s\n", (int)level, line);
	else
		fprintf(stderr, "segd: %s%s\n", words[level], line);
}
