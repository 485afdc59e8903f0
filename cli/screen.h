/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A terminal to draw on (ncurses). Texts that are taken come from whoever named a workload: nothing
 * in them drives the terminal. */
#pragma once

#include "table.h"

#include <curses.h>
#include <stdbool.h>
#include <stddef.h>

/* Takes over the terminal. False: it is none that could be drawn on. */
bool screen_open(const struct settings *settings);
void screen_close(void);

/* With the colours that screen_open() was allowed to use. */
attr_t screen_color(enum table_color color);

/* A whole line, shortened or filled. Takes text. */
void screen_line(int line, attr_t attributes, char *text);
/* The same at the cursor, in exactly width columns. Takes text. */
void screen_cell(attr_t attributes, char *text, size_t width, bool right);
