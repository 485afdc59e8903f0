/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "screen.h"

#include "text.h"

static bool colored;

bool screen_open(const struct settings *settings)
{
	/* Unlike initscr() it does not end the program on an unknown terminal. */
	if (!newterm(NULL, stdout, stdin))
		return false;
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	curs_set(0);
	set_escdelay(25);
	colored = settings->color && has_colors();
	if (colored) {
		start_color();
		use_default_colors();
		init_pair(TABLE_GOOD, COLOR_GREEN, -1);
		init_pair(TABLE_WARNING, COLOR_YELLOW, -1);
		init_pair(TABLE_BAD, COLOR_RED, -1);
	}
	return true;
}

void screen_close(void)
{
	endwin();
}

attr_t screen_color(enum table_color color)
{
	attr_t attributes = color == TABLE_BAD ? A_BOLD : A_NORMAL;

	if (color != TABLE_PLAIN && colored)
		attributes |= (attr_t)COLOR_PAIR(color);
	return attributes;
}

void screen_cell(attr_t attributes, char *text, size_t width, bool right)
{
	_cleanup_free_ char *shown = text_shorten(text, width);
	int fill = (int)(width - text_width(shown));

	attrset(attributes);
	printw("%*s%s%*s", right ? fill : 0, "", shown, right ? 0 : fill, "");
	attrset(A_NORMAL);
	free(text);
}

void screen_line(int line, attr_t attributes, char *text)
{
	move(line, 0);
	screen_cell(attributes, text, (size_t)COLS, false);
}
