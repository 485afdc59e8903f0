/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times and durations as people read them. */
#pragma once

#include "settings.h"

#include <stdbool.h>
#include <time.h>

/* RFC 3339, fraction of a second and offset included. False: it is none. */
bool clock_parse(const char *text, struct timespec *ret);

/* A new string: "2026-11-21 01:18:55", with --utc in UTC and a Z behind. "-": text is no time. */
char *clock_format(const struct settings *settings, const char *text);
/* The same for tables: where columns are scarce only "01:18:55" of today, "Nov 20 01:18" of this
 * year, "2025-11-20" of before. */
char *clock_format_cell(const struct settings *settings, const char *text);
/* For sentences, and where the second counts: "01:18:55" of today, "Nov 20 01:18:55" of this year,
 * "2025-11-20 01:18:55" of before. */
char *clock_format_moment(const struct settings *settings, const char *text);

/* A new string: "3 ms", "12 s", "2 min 5 s", "3 h 10 min", "4 d 2 h". */
char *clock_duration(double seconds);

/* "60s", "5m", "1h", "2d"; "60" is seconds. 0: it is none of these, or more than maximum. */
unsigned long clock_parse_duration(const char *text, unsigned long maximum);

/* Seconds of a clock that nobody sets, for measuring. */
double clock_monotonic(void);

/* Seconds since text; negative where it is no time. */
double clock_age(const char *text);
