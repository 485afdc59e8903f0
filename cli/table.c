/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "table.h"

#include "text.h"

#include <libsmartcols/libsmartcols.h>
#include <string.h>

#define SEPARATOR   "  "
#define INDENTATION "    "
/* A name shorter than this says nothing. */
#define WIDTH_MIN 8

DEFINE_CLEANUP(struct libscols_table *, scols_unref_table)

struct cell {
	char *text;
	enum table_color color;
};

struct table {
	const struct settings *settings;
	const struct table_column *columns;
	size_t columns_count;
	struct cell *cells; /* row by row */
	size_t cells_count;
	size_t cells_used;
};

struct table *table_new(const struct settings *settings, const struct table_column *columns)
{
	struct table *table = must(calloc(1, sizeof(*table)));

	table->settings = settings;
	table->columns = columns;
	while (columns[table->columns_count].name)
		table->columns_count++;
	return table;
}

void table_free(struct table *table)
{
	for (size_t i = 0; i < table->cells_count; i++)
		free(table->cells[i].text);
	free(table->cells);
	free(table);
}

void table_row(struct table *table)
{
	size_t count = table->cells_count + table->columns_count;

	table->cells = must(reallocarray(table->cells, count, sizeof(*table->cells)));
	memset(table->cells + table->cells_count, 0, table->columns_count * sizeof(*table->cells));
	table->cells_used = table->cells_count;
	table->cells_count = count;
}

void table_cell(struct table *table, enum table_color color, char *text)
{
	table->cells[table->cells_used++] = (struct cell){.text = text, .color = color};
}

void table_cell_text(struct table *table, enum table_color color, const char *text)
{
	table_cell(table, color, text_format("%s", text));
}

void table_count(struct table *table, double count)
{
	table_cell(table, TABLE_PLAIN,
		table->settings->width ? text_count(count) : text_format("%.0f", count));
}

void table_bytes(struct table *table, double bytes)
{
	table_cell(table, TABLE_PLAIN,
		table->settings->width ? text_bytes(bytes) : text_format("%.0f", bytes));
}

static const char *cell_text(const struct cell *cell)
{
	return cell->text && *cell->text ? cell->text : "-";
}

static size_t sum(const size_t *widths, size_t count)
{
	size_t total = count ? (count - 1) * strlen(SEPARATOR) : 0;

	for (size_t i = 0; i < count; i++)
		total += widths[i];
	return total;
}

/* Takes columns from the widest that may shrink until all fit. */
static void shrink(const struct table *table, size_t *widths, size_t count)
{
	while (table->settings->width && sum(widths, count) > table->settings->width) {
		size_t widest = count;

		for (size_t i = 0; i < count; i++)
			if (table->columns[i].flags & TABLE_SHRINK && widths[i] > WIDTH_MIN &&
				(widest == count || widths[i] > widths[widest]))
				widest = i;
		if (widest == count)
			return;
		widths[widest]--;
	}
}

/* Returns how many columns stand side by side: all, or all but the note. */
static size_t measure(const struct table *table, size_t *widths)
{
	size_t count = table->columns_count;

	for (size_t i = 0; i < count; i++)
		widths[i] = text_width(table->columns[i].name);
	for (size_t i = 0; i < table->cells_count; i++) {
		size_t width = text_width(cell_text(&table->cells[i]));

		if (width > widths[i % count])
			widths[i % count] = width;
	}
	if (table->columns[count - 1].flags & TABLE_NOTE && table->settings->width &&
		sum(widths, count) > table->settings->width)
		count--;
	shrink(table, widths, count);
	return count;
}

static const char *color_name(enum table_color color)
{
	switch (color) {
	case TABLE_GOOD:
		return "green";
	case TABLE_WARNING:
		return "brown";
	case TABLE_BAD:
		return "red";
	case TABLE_PLAIN:
		break;
	}
	return NULL;
}

static struct libscols_table *build(
	const struct table *table, const size_t *widths, size_t columns_count)
{
	struct libscols_table *built = must(scols_new_table());

	scols_table_set_column_separator(built, SEPARATOR);
	scols_table_enable_colors(built, table->settings->color);
	/* Widths are settled already. */
	scols_table_set_termforce(built, SCOLS_TERMFORCE_NEVER);
	for (size_t i = 0; i < columns_count; i++)
		must(scols_table_new_column(built, table->columns[i].name, (double)widths[i],
			table->columns[i].flags & TABLE_RIGHT ? SCOLS_FL_RIGHT : 0));
	for (size_t row = 0; row < table->cells_count; row += table->columns_count) {
		struct libscols_line *line = must(scols_table_new_line(built, NULL));

		for (size_t i = 0; i < columns_count; i++) {
			const struct cell *cell = &table->cells[row + i];

			scols_line_refer_data(line, i, text_shorten(cell_text(cell), widths[i]));
			if (cell->color != TABLE_PLAIN)
				scols_cell_set_color(
					scols_line_get_cell(line, i), color_name(cell->color));
		}
	}
	return built;
}

/* Without the blanks that fill up the last column. */
static void print_line(const char *line, size_t length)
{
	while (length && line[length - 1] == ' ')
		length--;
	printf("%.*s\n", (int)length, line);
}

static void print_note(const struct table *table, size_t row)
{
	const struct cell *cell = &table->cells[row + table->columns_count - 1];
	_cleanup_free_ char *text =
		text_shorten(cell_text(cell), table->settings->width - strlen(INDENTATION));

	if (cell->text && *cell->text)
		printf(INDENTATION "%s\n", text);
}

void table_print(struct table *table)
{
	_cleanup_free_ size_t *widths = must(calloc(table->columns_count, sizeof(*widths)));
	size_t columns_count = measure(table, widths);
	_cleanup_(scols_unref_tablep) struct libscols_table *built =
		build(table, widths, columns_count);
	_cleanup_free_ char *text = NULL;
	size_t row = 0;
	bool heading = true;

	if (scols_print_table_to_string(built, &text) < 0)
		must(NULL);
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n");

		print_line(line, length);
		line += length + (line[length] == '\n');
		if (heading) {
			heading = false;
			continue;
		}
		if (columns_count < table->columns_count)
			print_note(table, row);
		row += table->columns_count;
	}
}
