/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The live screen: asks each second, draws, obeys keys. */
#include "live.h"

#include "clock.h"
#include "live_data.h"
#include "output.h"
#include "record.h"
#include "screen.h"
#include "text.h"

#include <string.h>

#define PERIOD_MS 1000
#define KEY_ESC   27

struct live_place *live_here(struct live *live)
{
	return &live->places[live->depth];
}

/* --- drawing ------------------------------------------------------------------------------------
 */

static void draw_title(const struct live *live)
{
	_cleanup_free_ char *policies = NULL, *workloads = NULL;

	if (!live->status) {
		screen_line(0, A_REVERSE, text_format("segd"));
		return;
	}
	policies = output_plural(field_number(live->status, "policies"), "policy", "policies");
	workloads = output_plural(field_number(live->status, "workloads"), "workload", "workloads");
	screen_line(0, A_REVERSE,
		text_format("segd on %s  %s  generation %.0f  %s  %s",
			field_text(live->status, "node"), field_text(live->status, "dataplane"),
			field_number(live->status, "generation"), workloads, policies));
}

static void draw_footer(const struct live *live)
{
	const struct live_view *view = live_here((struct live *)live)->view;
	const char *keys = live->depth && view->keys_below ? view->keys_below : view->keys;

	if (live->trouble)
		screen_line(LINES - 1, screen_color(TABLE_BAD), text_format("%s", live->trouble));
	else if (live->typing)
		screen_line(LINES - 1, A_DIM, text_format("Enter keeps the filter, Esc drops it"));
	else
		screen_line(LINES - 1, A_DIM, text_format("%s", keys));
}

static void draw(struct live *live)
{
	const struct live_view *view = live_here(live)->view;

	erase();
	draw_title(live);
	if (view->draw)
		view->draw(live);
	else
		live_list_draw(live);
	draw_footer(live);
	refresh();
}

/* --- keys ---------------------------------------------------------------------------------------
 */

static void type(struct live *live, int key)
{
	char *filter = live_here(live)->filter;
	size_t length = strlen(filter);

	switch (key) {
	case KEY_ESC:
		filter[0] = '\0';
		live->typing = false;
		break;
	case '\n':
	case KEY_ENTER:
		live->typing = false;
		break;
	case KEY_BACKSPACE:
	case '\b':
	case 0x7f:
		if (length)
			filter[length - 1] = '\0';
		break;
	default:
		/* Names, ports and verdicts are ASCII. */
		if (key >= ' ' && key < 0x7f && length < LIVE_FILTER_MAX) {
			filter[length] = (char)key;
			filter[length + 1] = '\0';
		}
	}
	live_list_refresh(live);
}

static void move_by(struct live *live, long lines)
{
	struct live_place *here = live_here(live);
	size_t count = json_array_size(live->rows);

	if (lines < 0 && here->selected < (size_t)-lines)
		here->selected = 0;
	else
		here->selected += (size_t)lines;
	/* A text says itself where it ends. */
	if (here->view->rows && here->selected >= count)
		here->selected = count ? count - 1 : 0;
}

static void next_order(struct live *live)
{
	struct live_place *here = live_here(live);
	const struct live_column *columns = here->view->columns;

	if (!columns)
		return;
	do
		here->order = columns[here->order + 1].heading ? here->order + 1 : 0;
	while (!columns[here->order].order);
	here->selected = here->first = 0;
	live_list_refresh(live);
}

static size_t first_order(const struct live_view *view)
{
	size_t order = 0;

	/* Rates are what a list of the present is about, and time of the past; NAME columns last.
	 */
	while (view->columns && view->columns[order].heading &&
		(view->columns[order].cell == LIVE_NAME || !view->columns[order].order))
		order++;
	return view->columns && view->columns[order].heading ? order : 0;
}

static void enter(struct live *live, const struct live_view *view, json_t *row)
{
	live->places[++live->depth] = (struct live_place){
		.view = view, .row = json_incref(row), .order = first_order(view)};
	json_decref(live->rows);
	live->rows = NULL;
	json_decref(live->flows);
	live->flows = NULL;
	live_data_ask(live);
	live_list_refresh(live);
}

static void go_down(struct live *live)
{
	const struct live_place *here = live_here(live);
	json_t *row = json_array_get(live->rows, here->selected);

	if (row && here->view->below && live->depth + 1 < LIVE_DEPTH)
		enter(live, here->view->below, row);
}

/* From what is below back to what led there; a filter goes before the place does. */
static void go_up(struct live *live)
{
	struct live_place *here = live_here(live);

	if (*here->filter) {
		here->filter[0] = '\0';
	} else if (live->depth) {
		json_decref(here->row);
		here->row = NULL;
		live->depth--;
		json_decref(live->rows);
		live->rows = NULL;
		live_data_ask(live);
	}
	live_list_refresh(live);
}

/* Workloads and edges stand side by side at the top; below it there is one way only. Back is to
 * what one came from, as it was. */
static void go_beside(struct live *live)
{
	struct live_place *here = live_here(live), there = live->beside;

	if (live->depth || !here->view->beside)
		return;
	if (!there.view)
		there = (struct live_place){
			.view = here->view->beside, .order = first_order(here->view->beside)};
	live->beside = *here;
	*here = there;
	json_decref(live->rows);
	live->rows = NULL;
	live_list_refresh(live);
}

static void obey(struct live *live, int key)
{
	struct live_place *here = live_here(live);
	long page = (long)live_list_lines();

	switch (key) {
	case 'q':
		live->ended = true;
		break;
	case 's':
		next_order(live);
		break;
	case 'p':
		live->paused = !live->paused;
		break;
	case '/':
		live->typing = here->view->rows != NULL;
		break;
	case '\n':
	case KEY_ENTER:
	case KEY_RIGHT:
		go_down(live);
		break;
	case KEY_ESC:
	case KEY_BACKSPACE:
	case KEY_LEFT:
		go_up(live);
		break;
	case '\t':
		go_beside(live);
		break;
	case KEY_UP:
	case 'k':
		move_by(live, -1);
		break;
	case KEY_DOWN:
	case 'j':
		move_by(live, 1);
		break;
	case KEY_PPAGE:
		move_by(live, -page);
		break;
	case KEY_NPAGE:
		move_by(live, page);
		break;
	case KEY_HOME:
		here->selected = 0;
		break;
	case KEY_END:
		move_by(live, (long)json_array_size(live->rows));
		break;
	default:
		break;
	}
}

/* --- the loop -----------------------------------------------------------------------------------
 */

static void run(struct live *live)
{
	while (!live->ended) {
		double left = live->asked_at * 1000 + PERIOD_MS - clock_monotonic() * 1000;
		int key;

		if (left <= 0 && live->paused) {
			left = PERIOD_MS;
		} else if (left <= 0) {
			live_data_ask(live);
			live_list_refresh(live);
			left = PERIOD_MS;
		}
		draw(live);
		timeout((int)left + 1);
		key = getch();
		if (live->typing && key != ERR && key != KEY_RESIZE)
			type(live, key);
		else
			obey(live, key);
	}
}

int live_run(const struct settings *settings, const struct filter *filter, const char *group,
	const struct live_view *view, size_t order)
{
	_cleanup_client_ struct client *client = client_new(settings->socket_path);
	_cleanup_error_ struct error error = ERROR_INIT;
	struct live live = {.settings = settings,
		.client = client,
		.asked = filter,
		.group = group,
		.places = {{.view = view, .order = order}}};
	int code = EXIT_YES;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		usage_error(settings, "a live screen needs a terminal");
	if (live_data_begin(&live, &error) < 0) {
		code = report(settings, &error);
	} else if (!screen_open(settings)) {
		usage_error(settings, "this kind of terminal (TERM) cannot be drawn on");
	} else {
		live_list_refresh(&live);
		run(&live);
		screen_close();
	}
	for (size_t i = 0; i <= live.depth; i++)
		json_decref(live.places[i].row);
	json_decref(live.rows);
	live_data_clear(&live);
	return code;
}
