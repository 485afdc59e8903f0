/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stream.h"

#include "clock.h"
#include "lines.h"
#include "output.h"
#include "record.h"
#include "text.h"
#include "url.h"

#include <string.h>

/* A row cannot wait for the widths of the rows behind it, so columns are settled beforehand: 80
 * columns hold time, verdict, two names and a port. */
#define NAME_WIDTH     18
#define NAME_WIDTH_MAX 32
#define FIXED_WIDTH    44 /* all but the names */
#define PORT_WIDTH     12

static const char *color_of(enum table_color color)
{
	static const char *const sequences[] = {[TABLE_PLAIN] = "",
		[TABLE_GOOD] = "\033[32m",
		[TABLE_WARNING] = "\033[33m",
		[TABLE_BAD] = "\033[31m"};

	return sequences[color];
}

/* printf counts bytes, terminals count columns. */
static void print_padded(char *text, size_t width)
{
	_cleanup_free_ char *shown = width ? text_shorten(text, width) : text_printable(text);
	size_t columns = text_width(shown);

	printf("%s%*s", shown, width > columns ? (int)(width - columns) : 0, "");
	free(text);
}

static size_t name_width(const struct settings *settings)
{
	size_t width;

	if (!settings->width)
		return NAME_WIDTH_MAX;
	if (settings->width < FIXED_WIDTH + 2 * NAME_WIDTH)
		return NAME_WIDTH;
	width = (settings->width - FIXED_WIDTH) / 2;
	return width < NAME_WIDTH_MAX ? width : NAME_WIDTH_MAX;
}

static void print_row(const struct settings *settings, const json_t *record)
{
	const char *verdict = field_text(record, "verdict");
	const char *color = settings->color ? color_of(record_color(verdict)) : "";
	_cleanup_free_ char *time = clock_format_cell(settings, field_text(record, "time"));
	_cleanup_free_ char *why = record_why(record);
	size_t width = name_width(settings);

	printf("%s  %s%-7s%s  ", time, color, verdict, *color ? "\033[0m" : "");
	print_padded(record_end(json_object_get(record, "source")), width);
	printf(" %s ", output_arrow());
	print_padded(record_end(json_object_get(record, "destination")), width);
	fputs("  ", stdout);
	print_padded(record_port(record), PORT_WIDTH);
	/* Beside the row where nothing is shortened, else below it. */
	fputs(settings->width ? "\n    " : "  ", stdout);
	output_text(field_text(record, "event"));
	fputs(": ", stdout);
	output_text(why);
	putchar('\n');
}

static void print_record(const struct settings *settings, const json_t *record)
{
	bool gap = strcmp(field_text(record, "event"), "gap") == 0;

	/* The exports have words for it. */
	if (gap && !(settings->output & (OUTPUT_OCSF | OUTPUT_ECS))) {
		double lost = field_number(record, "lost");
		_cleanup_free_ char *records = output_plural(lost, "record", "records");

		fflush(stdout);
		fprintf(stderr, "%s: gap: %s lost here\n", settings->program, records);
	} else if (settings->output & LINES_OUTPUTS) {
		lines_print(settings, record);
	} else {
		print_row(settings, record);
	}
}

static void print_line(const char *line, size_t length, void *userdata)
{
	const struct settings *settings = userdata;
	_cleanup_json_ json_t *record = NULL;

	record = json_loadb(line, length, 0, NULL);
	if (record && settings->output & (OUTPUT_JSON | OUTPUT_JSONL))
		output_json_line(record);
	else if (record)
		print_record(settings, record);
	/* Whoever reads the other end of a pipe follows, too. */
	output_flush();
}

int stream_run(const struct settings *settings, char **url)
{
	_cleanup_client_ struct client *client = client_new(settings->socket_path);
	_cleanup_error_ struct error error = ERROR_INIT;

	lines_begin(settings);
	url_query(url, "follow", "1");
	client_follow(client, *url, print_line, (void *)settings, &error);
	return report(settings, &error);
}
