/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text for people: measured in terminal columns, shortened so that both ends stay readable, and
 * free of control characters, since names and labels come from whoever started a container.
 *
 * segctl lives for one command, so running out of memory simply ends it (must()).
 */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

/* pointer, or the end of the program with a message where it is NULL. */
void *must(void *pointer);

/* A new string. */
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Bytes of the control character that text begins with, 0 where it begins with none. That is C0,
 * DEL and C1 in UTF-8, and what turns the direction of all that stands behind it on the line
 * (Unicode's Bidi_Control). As JSON's strings are UTF-8 whatever the terminal's character set is,
 * so is text. */
size_t text_control_length(const char *text);

/* Terminal columns that text takes. */
size_t text_width(const char *text);

/* A new string of at most width columns: the middle gives way to an ellipsis, because names differ
 * most often in their first letters and in their last. */
char *text_shorten(const char *text, size_t width);

/* A new string in which control characters and broken UTF-8 are shown as '?'. */
char *text_printable(const char *text);

/* The terminal's character set is UTF-8: symbols beyond ASCII may be used. */
bool text_is_utf8(void);

/* 1234567 -> "1.2M", 0 -> "0"; with base 1024 and a unit for bytes. */
char *text_count(double count);
char *text_bytes(double bytes);
