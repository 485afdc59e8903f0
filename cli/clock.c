/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "clock.h"

#include "base/clock.h"
#include "text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* "Z" or "+hh:mm"; seconds to take away to get UTC. */
static bool parse_offset(const char *text, long *ret)
{
	unsigned int hours, minutes;
	int end = 0;

	if ((*text == 'Z' || *text == 'z') && !text[1]) {
		*ret = 0;
		return true;
	}
	if ((*text != '+' && *text != '-') ||
		sscanf(text + 1, "%2u:%2u%n", &hours, &minutes, &end) != 2 || text[1 + end])
		return false;
	*ret = (long)(hours * 3600 + minutes * 60) * (*text == '-' ? -1 : 1);
	return true;
}

bool clock_parse(const char *text, struct timespec *ret)
{
	struct tm parts = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
	long nanoseconds = 0, unit = 100000000, offset;

	if (!rest)
		return false;
	if (*rest == '.')
		for (rest++; isdigit((unsigned char)*rest); rest++, unit /= 10)
			nanoseconds += (*rest - '0') * unit;
	if (!parse_offset(rest, &offset))
		return false;
	ret->tv_sec = timegm(&parts) - offset;
	ret->tv_nsec = nanoseconds;
	return true;
}

static char *format_as(const struct tm *parts, const char *format)
{
	char formatted[64];

	/* Only literals of this file come here. */
	_Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wformat-nonliteral\"")
		strftime(formatted, sizeof(formatted), format, parts);
	_Pragma("GCC diagnostic pop") return text_format("%s", formatted);
}

static bool split(const struct settings *settings, time_t time, struct tm *ret)
{
	return (settings->utc ? gmtime_r : localtime_r)(&time, ret);
}

char *clock_format(const struct settings *settings, const char *text)
{
	struct timespec moment;
	struct tm parts;

	if (!clock_parse(text, &moment) || !split(settings, moment.tv_sec, &parts))
		return text_format("-");
	return format_as(&parts, settings->utc ? "%Y-%m-%d %H:%M:%SZ" : "%Y-%m-%d %H:%M:%S");
}

/* The shortest form that says which day it was. dates: of this year, and of before. */
static char *format_short(const struct settings *settings, const char *text, const char *this_year,
	const char *before)
{
	struct timespec moment;
	struct tm parts, today;

	if (!clock_parse(text, &moment) || !split(settings, moment.tv_sec, &parts) ||
		!split(settings, time(NULL), &today))
		return clock_format(settings, text);
	if (parts.tm_year != today.tm_year)
		return format_as(&parts, before);
	if (parts.tm_yday != today.tm_yday)
		return format_as(&parts, this_year);
	return format_as(&parts, settings->utc ? "%H:%M:%SZ" : "%H:%M:%S");
}

char *clock_format_cell(const struct settings *settings, const char *text)
{
	if (!settings->width)
		return clock_format(settings, text);
	return format_short(
		settings, text, settings->utc ? "%b %d %H:%MZ" : "%b %d %H:%M", "%Y-%m-%d");
}

char *clock_format_moment(const struct settings *settings, const char *text)
{
	if (settings->utc)
		return format_short(settings, text, "%b %d %H:%M:%SZ", "%Y-%m-%d %H:%M:%SZ");
	return format_short(settings, text, "%b %d %H:%M:%S", "%Y-%m-%d %H:%M:%S");
}

char *clock_duration(double seconds)
{
	static const struct unit {
		const char *name, *below;
		unsigned long seconds, below_seconds;
	} units[] = {
		{"d", "h", 86400, 3600},
		{"h", "min", 3600, 60},
		{"min", "s", 60, 1},
	};
	unsigned long whole;

	if (seconds < 0.00995)
		return text_format("%.2g ms", seconds * 1000);
	if (seconds < 0.9995)
		return text_format("%.0f ms", seconds * 1000);
	whole = (unsigned long)(seconds + 0.5);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (whole >= units[i].seconds)
			return text_format("%lu %s %lu %s", whole / units[i].seconds, units[i].name,
				whole % units[i].seconds / units[i].below_seconds, units[i].below);
	return text_format("%lu s", whole);
}

double clock_monotonic(void)
{
	return (double)clock_ns(CLOCK_MONOTONIC) / (double)NS_PER_SECOND;
}

double clock_age(const char *text)
{
	struct timespec moment, now;

	if (!clock_parse(text, &moment))
		return -1;
	clock_gettime(CLOCK_REALTIME, &now);
	return (double)(now.tv_sec - moment.tv_sec) + (double)(now.tv_nsec - moment.tv_nsec) / 1e9;
}

unsigned long clock_parse_duration(const char *text, unsigned long maximum)
{
	static const char units[] = "smhd";
	static const unsigned long factors[] = {1, 60, 3600, 86400};
	unsigned long value, factor = 1;
	const char *unit;
	char *end;

	if (!isdigit((unsigned char)*text))
		return 0;
	value = strtoul(text, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (unit) {
		factor = factors[unit - units];
		end++;
	}
	return *end || value > maximum / factor ? 0 : value * factor;
}
