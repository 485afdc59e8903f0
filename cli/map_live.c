/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl map --live: asks each second, draws, obeys keys. */
#include "map.h"
#include "map_screen.h"

#include "clock.h"
#include "record.h"
#include "text.h"

#include <curses.h>
#include <string.h>

#define PERIOD_MS 1000
#define KEY_ESC   27

struct live {
	struct map_screen screen;
	struct client *client;
	const char *url;
	json_t *packets; /* by map_screen_key(), at the last answer */
	double asked_at; /* seconds, monotonic */
	bool ended;
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void replace_json(json_t **value, json_t *replacement)
{
	json_decref(*value);
	*value = replacement;
}

/* Packets a second since the last answer. An edge that is new since then starts from nothing,
 * except with the first answer, which says nothing about when its packets came. */
static void measure(struct live *live, double seconds)
{
	json_t *packets = must(json_object()), *rates = must(json_object());
	const json_t *edge;
	size_t i;

	json_array_foreach (json_object_get(live->screen.map, "edges"), i, edge) {
		_cleanup_free_ char *key = map_screen_key(edge);
		double sum = field_sum(edge, "packets");
		double growth = sum - field_number(live->packets, key);

		json_object_set_new(packets, key, json_real(sum));
		if (live->packets && seconds > 0 && growth > 0)
			json_object_set_new(rates, key, json_real(growth / seconds));
	}
	replace_json(&live->packets, packets);
	replace_json(&live->screen.rates, rates);
}

static void limit_selection(struct map_screen *screen)
{
	size_t count = map_screen_count(screen);

	if (screen->selected >= count)
		screen->selected = count ? count - 1 : 0;
	if (screen->first > screen->selected)
		screen->first = screen->selected;
}

/* An agent that is away for a moment keeps the last picture on the screen, with the reason. */
static void ask(struct live *live)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct map_screen *screen = &live->screen;
	json_t *map = NULL, *status = NULL;
	double asked_at = now();
	int code = client_get(live->client, "/v1/status", &status, &error);

	if (code == 0)
		code = client_get(live->client, live->url, &map, &error);
	free(screen->trouble);
	screen->trouble = code < 0 ? text_format("%s", error_message(&error)) : NULL;
	if (code < 0) {
		json_decref(status);
		live->asked_at = asked_at;
		return;
	}
	replace_json(&screen->status, status);
	replace_json(&screen->map, map);
	map_sort(map, screen->order);
	measure(live, asked_at - live->asked_at);
	live->asked_at = asked_at;
	limit_selection(screen);
}

static void type(struct map_screen *screen, int key)
{
	size_t length = strlen(screen->filter);

	switch (key) {
	case KEY_ESC:
		screen->filter[0] = '\0';
		screen->typing = false;
		break;
	case '\n':
	case KEY_ENTER:
		screen->typing = false;
		break;
	case KEY_BACKSPACE:
	case '\b':
	case 0x7f:
		if (length)
			screen->filter[length - 1] = '\0';
		break;
	default:
		/* Names, ports and verdicts are ASCII. */
		if (key >= ' ' && key < 0x7f && length < MAP_SCREEN_FILTER_MAX) {
			screen->filter[length] = (char)key;
			screen->filter[length + 1] = '\0';
		}
	}
	limit_selection(screen);
}

static void move_by(struct map_screen *screen, long rows)
{
	if (rows < 0 && screen->selected < (size_t)-rows)
		screen->selected = 0;
	else
		screen->selected += (size_t)rows;
	limit_selection(screen);
}

static void obey(struct live *live, int key)
{
	struct map_screen *screen = &live->screen;
	long page = (long)map_screen_rows();

	switch (key) {
	case 'q':
		live->ended = true;
		break;
	case 's':
		screen->order = (enum map_order)((screen->order + 1) % MAP_ORDERS);
		map_sort(screen->map, screen->order);
		break;
	case '/':
		screen->typing = true;
		break;
	case KEY_ESC:
		screen->filter[0] = '\0';
		break;
	case KEY_UP:
	case 'k':
		move_by(screen, -1);
		break;
	case KEY_DOWN:
	case 'j':
		move_by(screen, 1);
		break;
	case KEY_PPAGE:
		move_by(screen, -page);
		break;
	case KEY_NPAGE:
		move_by(screen, page);
		break;
	case KEY_HOME:
		screen->selected = 0;
		break;
	case KEY_END:
		screen->selected = map_screen_count(screen);
		limit_selection(screen);
		break;
	default:
		break;
	}
}

static void run(struct live *live)
{
	while (!live->ended) {
		double left = live->asked_at * 1000 + PERIOD_MS - now() * 1000;
		int key;

		if (left <= 0) {
			ask(live);
			left = PERIOD_MS;
		}
		map_screen_draw(&live->screen);
		timeout((int)left + 1);
		key = getch();
		if (live->screen.typing && key != ERR && key != KEY_RESIZE)
			type(&live->screen, key);
		else
			obey(live, key);
	}
}

int map_live_run(const struct settings *settings, const char *url)
{
	_cleanup_client_ struct client *client = client_new(settings->socket_path);
	_cleanup_error_ struct error error = ERROR_INIT;
	struct live live = {.screen.settings = settings, .client = client, .url = url};

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		usage_error(settings, "--live needs a terminal");
	/* What fails from the start is told in one line, not on a screen. */
	if (client_get(client, url, &live.screen.map, &error) < 0)
		return report(settings, &error);
	if (!map_screen_open(settings))
		usage_error(settings, "--live cannot draw on this kind of terminal (TERM)");
	run(&live);
	map_screen_close();
	json_decref(live.screen.map);
	json_decref(live.screen.status);
	json_decref(live.screen.rates);
	json_decref(live.packets);
	free(live.screen.trouble);
	return EXIT_YES;
}
