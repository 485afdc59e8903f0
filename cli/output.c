/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "output.h"

#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void output_flush(void)
{
	if (fflush(stdout) == 0)
		return;
	fprintf(stderr, "segctl: write output: %s\n", strerror(errno));
	exit(EXIT_NO);
}

void output_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	putchar('\n');
}

void output_json_line(const json_t *value)
{
	json_dumpf(value, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
	putchar('\n');
}

void output_text(const char *text)
{
	_cleanup_free_ char *printable = text_printable(text);

	fputs(printable, stdout);
}

void output_property(const char *name, const char *text)
{
	if (!*text)
		return;
	printf("  %-12s ", name);
	output_text(text);
	putchar('\n');
}

void output_property_take(const char *name, char *text)
{
	output_property(name, text);
	free(text);
}

void output_heading(const struct settings *settings, const char *text)
{
	printf(settings->color ? "\n\033[1m%s\033[0m\n" : "\n%s\n", text);
}

char *output_plural(double count, const char *one, const char *many)
{
	_cleanup_free_ char *number = text_count(count);

	return text_format("%s %s", number, count == 1 ? one : many);
}

const char *output_arrow(void)
{
	return text_is_utf8() ? "→" : "->";
}
