/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of any view on the live screen: sorted, filtered, selected, drawn. */
#include "live.h"

#include "clock.h"
#include "output.h"
#include "record.h"
#include "screen.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

/* Lines above and below the rows: title, summary, headings; what is selected (two), keys. */
#define LINES_ABOVE    3
#define LINES_BELOW    3
#define NAME_WIDTH_MIN 8

size_t live_list_lines(void)
{
	return LINES > LINES_ABOVE + LINES_BELOW ? (size_t)(LINES - LINES_ABOVE - LINES_BELOW) : 0;
}

/* --- rows ---------------------------------------------------------------------------------------
 */

static bool is_number(enum live_cell cell)
{
	return cell == LIVE_COUNT || cell == LIVE_BYTES || cell == LIVE_RATE;
}

static char *cell_text(const struct live *live, const struct live_column *column, const json_t *row)
{
	struct settings narrow = *live->settings;
	double number = field_number(row, column->member);

	/* Cells of a screen are short whatever became of standard output. */
	narrow.width = 80;
	switch (column->cell) {
	case LIVE_COUNT:
		return text_count(number);
	case LIVE_BYTES:
		return text_bytes(number);
	case LIVE_RATE:
		return number > 0 && number < 9.95 ? text_format("%.1f", number)
						   : text_count(number);
	case LIVE_TIME:
		return clock_format_cell(&narrow, field_text(row, column->member));
	case LIVE_NAME:
	case LIVE_TEXT:
		break;
	}
	return text_format("%s", field_text(row, column->member));
}

/* All texts of a row, one behind the other: what the filter looks through. */
static char *row_text(const struct live *live, const json_t *row)
{
	char *text = NULL;
	FILE *stream = must(open_memstream(&text, &(size_t){0}));

	for (const struct live_column *column = live_here((struct live *)live)->view->columns;
		column->heading; column++)
		if (!is_number(column->cell))
			fprintf(stream, "%s ", field_text(row, column->member));
	fclose(stream);
	return must(text);
}

struct sorting {
	const struct live_view *view;
	const struct live_column *column;
};

static int compare_texts(const struct sorting *sorting, const json_t *a, const json_t *b)
{
	for (const struct live_column *column = sorting->view->columns; column->heading; column++) {
		int order = is_number(column->cell) || column->cell == LIVE_TIME
				    ? 0
				    : strcmp(field_text(a, column->member),
					      field_text(b, column->member));

		if (order)
			return order;
	}
	return 0;
}

struct sorted_row {
	json_t *json;
};

static int compare_rows(const void *left, const void *right, void *userdata)
{
	const json_t *a = ((const struct sorted_row *)left)->json;
	const json_t *b = ((const struct sorted_row *)right)->json;
	const struct sorting *sorting = userdata;
	const char *member = sorting->column->member;
	int order = 0;

	if (sorting->view->denied_first)
		order = (int)record_color(field_text(b, "verdict")) -
			(int)record_color(field_text(a, "verdict"));
	if (!order && is_number(sorting->column->cell))
		order = (field_number(b, member) > field_number(a, member)) -
			(field_number(b, member) < field_number(a, member));
	else if (!order && sorting->column->cell == LIVE_TIME)
		order = strcmp(field_text(b, member), field_text(a, member));
	return order ? order : compare_texts(sorting, a, b);
}

static void sort_rows(const struct live_place *here, json_t *rows)
{
	size_t count = json_array_size(rows);
	_cleanup_free_ struct sorted_row *sorted = must(calloc(count + 1, sizeof(*sorted)));
	struct sorting sorting = {.view = here->view, .column = &here->view->columns[here->order]};

	for (size_t i = 0; i < count; i++)
		sorted[i].json = json_incref(json_array_get(rows, i));
	qsort_r(sorted, count, sizeof(*sorted), compare_rows, &sorting);
	for (size_t i = 0; i < count; i++)
		json_array_set_new(rows, i, sorted[i].json);
}

/* Who has moved to a row wants to stay on it; at the top one stays at the top. */
static void follow_selected(struct live *live, const char *text)
{
	struct live_place *here = live_here(live);
	size_t count = json_array_size(live->rows);

	for (size_t i = 0; text && here->selected > 0 && i < count; i++) {
		_cleanup_free_ char *other = row_text(live, json_array_get(live->rows, i));

		if (strcmp(text, other) == 0) {
			here->selected = i;
			break;
		}
	}
	if (here->selected >= count)
		here->selected = count ? count - 1 : 0;
}

void live_list_refresh(struct live *live)
{
	struct live_place *here = live_here(live);
	const json_t *selected = json_array_get(live->rows, here->selected);
	_cleanup_free_ char *text = NULL;
	json_t *rows, *row;
	size_t i;

	if (!here->view->rows)
		return;
	text = selected ? row_text(live, selected) : NULL;
	rows = here->view->rows(live);
	sort_rows(here, rows);
	json_decref(live->rows);
	live->rows = must(json_array());
	json_array_foreach (rows, i, row) {
		_cleanup_free_ char *words = row_text(live, row);

		if (strcasestr(words, here->filter))
			json_array_append(live->rows, row);
	}
	json_decref(rows);
	follow_selected(live, text);
}

/* --- drawing ------------------------------------------------------------------------------------
 */

/* Space before a column. Words right behind a number would read as one with it. */
static int gap_before(const struct live_column *columns, const struct live_column *column)
{
	if (column == columns)
		return 0;
	return is_number(column[-1].cell) && !is_number(column->cell) ? 2 : 1;
}

static size_t name_width(const struct live_column *columns)
{
	int names = 0, used = 0;

	for (const struct live_column *column = columns; column->heading; column++) {
		if (column->columns > COLS)
			continue;
		names += column->cell == LIVE_NAME;
		used += column->width + gap_before(columns, column);
	}
	if (names && (COLS - used) / names > NAME_WIDTH_MIN)
		return (size_t)((COLS - used) / names);
	return NAME_WIDTH_MIN;
}

/* row: NULL for the headings. */
static void draw_row(const struct live *live, int line, attr_t attributes, const json_t *row)
{
	const struct live_place *here = live_here((struct live *)live);
	const struct live_column *columns = here->view->columns;
	enum table_color color = record_color(field_text(row, "verdict"));
	size_t names = name_width(columns);

	/* A refused row is of one colour, between its cells, too. */
	if (row && color == TABLE_BAD)
		attributes |= screen_color(color);
	attrset(attributes);
	mvhline(line, 0, ' ', COLS);
	move(line, 0);
	for (const struct live_column *column = columns; column->heading; column++) {
		attr_t own = attributes;

		if (column->columns > COLS)
			continue;
		if (!row && column == &columns[here->order])
			own |= A_BOLD;
		if (row && strcmp(column->member, "verdict") == 0)
			own |= screen_color(color);
		screen_cell(attributes, text_format("%s", ""), (size_t)gap_before(columns, column),
			false);
		screen_cell(own,
			row ? cell_text(live, column, row) : text_format("%s", column->heading),
			column->cell == LIVE_NAME ? names : (size_t)column->width,
			is_number(column->cell));
	}
}

static void draw_rows(struct live *live)
{
	struct live_place *here = live_here(live);
	size_t lines = live_list_lines(), count = json_array_size(live->rows);

	if (here->selected < here->first)
		here->first = here->selected;
	if (lines && here->selected >= here->first + lines)
		here->first = here->selected - lines + 1;
	for (size_t i = here->first; i < count && i < here->first + lines; i++)
		draw_row(live, LINES_ABOVE + (int)(i - here->first),
			i == here->selected ? A_REVERSE : A_NORMAL, json_array_get(live->rows, i));
	if (!count)
		screen_line(LINES_ABOVE, A_NORMAL,
			text_format("%s",
				*here->filter ? "nothing matches the filter" : here->view->empty));
}

static void draw_selected(const struct live *live)
{
	const struct live_place *here = live_here((struct live *)live);
	const json_t *row = json_array_get(live->rows, here->selected);
	char *first = NULL, *second = NULL;

	if (!row || !here->view->tell || LINES < LINES_ABOVE + LINES_BELOW)
		return;
	here->view->tell(live, row, &first, &second);
	screen_line(LINES - LINES_BELOW, A_NORMAL, first);
	if (second)
		screen_line(LINES - LINES_BELOW + 1,
			screen_color(record_color(field_text(row, "verdict"))), second);
}

static size_t count_denied(const json_t *rows)
{
	const json_t *row;
	size_t i, count = 0;

	json_array_foreach (rows, i, row) {
		count += record_color(field_text(row, "verdict")) == TABLE_BAD;
	}
	return count;
}

/* "12 edges of shop/web, 3 denied, by name, filter: db" */
static void draw_summary(const struct live *live)
{
	const struct live_place *here = live_here((struct live *)live);
	const char *of = field_text(here->row, "id");
	size_t denied = count_denied(live->rows);
	_cleanup_free_ char *refused = denied ? text_format(", %zu denied", denied) : NULL;

	screen_line(1, A_NORMAL,
		text_format("%zu %s%s%s%s, by %s%s%s%s%s", json_array_size(live->rows),
			here->view->noun, *of ? " of " : "", of, refused ? refused : "",
			here->view->columns[here->order].order, live->paused ? ", paused" : "",
			live->typing || *here->filter ? ", filter: " : "", here->filter,
			live->typing ? "_" : ""));
}

void live_list_draw(struct live *live)
{
	draw_summary(live);
	draw_row(live, LINES_ABOVE - 1, A_UNDERLINE, NULL);
	draw_rows(live);
	draw_selected(live);
}
