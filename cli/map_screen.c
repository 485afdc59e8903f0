/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "map_screen.h"

#include "clock.h"
#include "output.h"
#include "record.h"
#include "text.h"

#include <curses.h>
#include <string.h>

/* Lines above and below the edges: title, summary, headings; reason, reason's end, keys. */
#define LINES_ABOVE 3
#define LINES_BELOW 3

/* Columns beside the names; the last is there only on wide terminals. */
#define PORT_WIDTH     12
#define VERDICT_WIDTH  7
#define COUNT_WIDTH    7
#define LAST_WIDTH     19
#define NAME_WIDTH_MIN 8
#define WIDE           104

bool map_screen_open(const struct settings *settings)
{
	/* Unlike initscr() it does not end the program on an unknown terminal. */
	if (!newterm(NULL, stdout, stdin))
		return false;
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	curs_set(0);
	set_escdelay(25);
	if (settings->color && has_colors()) {
		start_color();
		use_default_colors();
		init_pair(TABLE_GOOD, COLOR_GREEN, -1);
		init_pair(TABLE_WARNING, COLOR_YELLOW, -1);
		init_pair(TABLE_BAD, COLOR_RED, -1);
	}
	return true;
}

void map_screen_close(void)
{
	endwin();
}

size_t map_screen_rows(void)
{
	return LINES > LINES_ABOVE + LINES_BELOW ? (size_t)(LINES - LINES_ABOVE - LINES_BELOW) : 0;
}

char *map_screen_key(const json_t *edge)
{
	_cleanup_free_ char *port = record_port(edge);

	return text_format("%s %s %s %s", field_text(edge, "from"), field_text(edge, "to"), port,
		field_text(edge, "verdict"));
}

static bool matches(const struct map_screen *screen, const json_t *edge)
{
	_cleanup_free_ char *key = map_screen_key(edge);

	return strcasestr(key, screen->filter) != NULL;
}

static size_t count_matching(const struct map_screen *screen, enum table_color color)
{
	const json_t *edge;
	size_t i, count = 0;

	json_array_foreach (json_object_get(screen->map, "edges"), i, edge) {
		if (matches(screen, edge) && (color == TABLE_PLAIN || record_color(field_text(edge,
									      "verdict")) == color))
			count++;
	}
	return count;
}

size_t map_screen_count(const struct map_screen *screen)
{
	return count_matching(screen, TABLE_PLAIN);
}

static attr_t attributes_of(const struct map_screen *screen, enum table_color color)
{
	attr_t attributes = color == TABLE_BAD ? A_BOLD : A_NORMAL;

	if (color != TABLE_PLAIN && screen->settings->color && has_colors())
		attributes |= COLOR_PAIR(color);
	return attributes;
}

/* text, shortened or filled to exactly width columns. Takes text. */
static void put(char *text, size_t width, bool right)
{
	_cleanup_free_ char *shown = text_shorten(text, width);
	int fill = (int)(width - text_width(shown));

	printw("%*s%s%*s", right ? fill : 0, "", shown, right ? 0 : fill, "");
	free(text);
}

static void put_line(int line, attr_t attributes, char *text)
{
	attrset(attributes);
	move(line, 0);
	put(text, (size_t)COLS, false);
	attrset(A_NORMAL);
}

static bool is_wide(void)
{
	return COLS >= WIDE;
}

static size_t name_width(void)
{
	int fixed =
		PORT_WIDTH + VERDICT_WIDTH + 3 * COUNT_WIDTH + 6 + (is_wide() ? LAST_WIDTH + 2 : 0);
	int width = (COLS - fixed) / 2;

	return width > NAME_WIDTH_MIN ? (size_t)width : NAME_WIDTH_MIN;
}

/* One row's cells from left to right; all are taken. */
struct row {
	char *from, *to, *port, *verdict, *connections, *packets, *rate, *last;
};

static void put_row(int line, attr_t attributes, attr_t verdict_attributes, struct row row)
{
	attrset(attributes);
	mvhline(line, 0, ' ', COLS);
	move(line, 0);
	put(row.from, name_width(), false);
	addch(' ');
	put(row.to, name_width(), false);
	addch(' ');
	put(row.port, PORT_WIDTH, false);
	addch(' ');
	attrset(attributes | verdict_attributes);
	put(row.verdict, VERDICT_WIDTH, false);
	attrset(attributes);
	addch(' ');
	put(row.connections, COUNT_WIDTH, true);
	addch(' ');
	put(row.packets, COUNT_WIDTH, true);
	addch(' ');
	put(row.rate, COUNT_WIDTH, true);
	if (is_wide()) {
		addstr("  ");
		put(row.last, LAST_WIDTH, false);
	} else {
		free(row.last);
	}
	attrset(A_NORMAL);
}

static void draw_headings(void)
{
	put_row(LINES_ABOVE - 1, A_UNDERLINE, A_NORMAL,
		(struct row){text_format("FROM"), text_format("TO"), text_format("PORT"),
			text_format("VERDICT"), text_format("CONNS"), text_format("PACKETS"),
			text_format("PKT/S"), text_format("LAST")});
}

static void draw_edge(const struct map_screen *screen, int line, const json_t *edge, bool selected)
{
	_cleanup_free_ char *key = map_screen_key(edge);
	const char *verdict = field_text(edge, "verdict");
	enum table_color color = record_color(verdict);
	attr_t attributes = attributes_of(screen, color);
	attr_t row_attributes = color == TABLE_BAD ? attributes : A_NORMAL;

	put_row(line, selected ? row_attributes | A_REVERSE : row_attributes, attributes,
		(struct row){
			text_format("%s", field_text(edge, "from")),
			text_format("%s", field_text(edge, "to")),
			record_port(edge),
			text_format("%s", verdict),
			text_count(field_number(edge, "connections")),
			text_count(field_sum(edge, "packets")),
			text_count(field_number(screen->rates, key)),
			clock_format_cell(screen->settings, field_text(edge, "end")),
		});
}

/* Why the selected edge was allowed or refused, in full. */
static void draw_reason(const struct map_screen *screen, const json_t *edge)
{
	_cleanup_free_ char *why = edge ? record_why(edge) : NULL;
	_cleanup_free_ char *last =
		edge ? clock_format_cell(screen->settings, field_text(edge, "end")) : NULL;

	if (!edge)
		return;
	put_line(LINES - LINES_BELOW, A_NORMAL,
		text_format("%s %s %s, last at %s", field_text(edge, "from"), output_arrow(),
			field_text(edge, "to"), last));
	put_line(LINES - LINES_BELOW + 1,
		attributes_of(screen, record_color(field_text(edge, "verdict"))),
		text_format("%s: %s", field_text(edge, "verdict"), why));
}

static void draw_edges(struct map_screen *screen)
{
	size_t rows = map_screen_rows(), matching = 0, i;
	const json_t *edge, *selected = NULL;

	if (screen->selected < screen->first)
		screen->first = screen->selected;
	if (rows && screen->selected >= screen->first + rows)
		screen->first = screen->selected - rows + 1;
	json_array_foreach (json_object_get(screen->map, "edges"), i, edge) {
		if (!matches(screen, edge))
			continue;
		if (matching == screen->selected)
			selected = edge;
		if (matching >= screen->first && matching < screen->first + rows)
			draw_edge(screen, LINES_ABOVE + (int)(matching - screen->first), edge,
				matching == screen->selected);
		matching++;
	}
	if (!matching && screen->map)
		put_line(LINES_ABOVE, A_NORMAL,
			text_format(*screen->filter ? "nothing matches the filter"
						    : "no connections seen yet"));
	draw_reason(screen, selected);
}

static void draw_title(const struct map_screen *screen)
{
	_cleanup_free_ char *policies = NULL, *workloads = NULL;

	if (!screen->status) {
		put_line(0, A_REVERSE, text_format("segd"));
		return;
	}
	policies = output_plural(field_number(screen->status, "policies"), "policy", "policies");
	workloads =
		output_plural(field_number(screen->status, "workloads"), "workload", "workloads");
	put_line(0, A_REVERSE,
		text_format("segd on %s  %s  generation %.0f  %s  %s",
			field_text(screen->status, "node"), field_text(screen->status, "dataplane"),
			field_number(screen->status, "generation"), workloads, policies));
}

static void draw_summary(const struct map_screen *screen)
{
	size_t denied = count_matching(screen, TABLE_BAD);

	put_line(1, A_NORMAL,
		text_format("%zu edges, %zu denied, by %s%s%s%s", map_screen_count(screen), denied,
			map_order_name(screen->order),
			screen->typing || *screen->filter ? ", filter: " : "", screen->filter,
			screen->typing ? "_" : ""));
}

static void draw_footer(const struct map_screen *screen)
{
	if (screen->trouble)
		put_line(LINES - 1, attributes_of(screen, TABLE_BAD),
			text_format("%s", screen->trouble));
	else if (screen->typing)
		put_line(LINES - 1, A_DIM, text_format("Enter keeps the filter, Esc drops it"));
	else
		put_line(LINES - 1, A_DIM,
			text_format("q quit   s sort   / filter   arrows, page keys move"));
}

void map_screen_draw(struct map_screen *screen)
{
	erase();
	draw_title(screen);
	draw_summary(screen);
	draw_headings();
	draw_edges(screen);
	draw_footer(screen);
	refresh();
}
