/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/timestamp.h"

#include "flow/put.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NSEC_PER_SEC  1000000000ULL
#define SECOND_LENGTH 20 /* "2026-11-21T07:00:00." */
#define SECONDS_KEPT  16

uint64_t timestamp_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

/*
 * The date of a day since 1970 in the proleptic Gregorian calendar, counted in eras of 400 years
 * that begin on a 1st of March. gmtime_r() takes the time zone's lock, three times for each record.
 */
static char *put_date(char *text, uint32_t day)
{
	uint32_t shifted = day + 719468, era = shifted / 146097, day_of_era = shifted % 146097;
	uint32_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	uint32_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	uint32_t month = (5 * day_of_year + 2) / 153; /* 0: March */
	uint32_t year = era * 400 + year_of_era + (month >= 10);

	text = put_two_digits(text, year / 100);
	text = put_two_digits(text, year % 100);
	*text++ = '-';
	text = put_two_digits(text, month < 10 ? month + 3 : month - 9);
	*text++ = '-';
	return put_two_digits(text, day_of_year - (153 * month + 2) / 5 + 1);
}

static void format_second(uint64_t second, char text[static SECOND_LENGTH])
{
	uint32_t second_of_day = (uint32_t)(second % 86400);

	text = put_date(text, (uint32_t)(second / 86400));
	*text++ = 'T';
	text = put_two_digits(text, second_of_day / 3600);
	*text++ = ':';
	text = put_two_digits(text, second_of_day / 60 % 60);
	*text++ = ':';
	text = put_two_digits(text, second_of_day % 60);
	*text = '.';
}

/* Times that are formatted one after the other are of few seconds. */
static char *put_second(char *text, uint64_t second)
{
	static _Thread_local struct {
		uint64_t next; /* the second behind it; 0: none yet */
		char text[SECOND_LENGTH];
	} kept[SECONDS_KEPT], *entry;

	entry = &kept[second % SECONDS_KEPT];
	if (entry->next != second + 1) {
		format_second(second, entry->text);
		entry->next = second + 1;
	}
	memcpy(text, entry->text, sizeof(entry->text));
	return text + sizeof(entry->text);
}

const char *timestamp_format(uint64_t time_ns, char text[static TIMESTAMP_LENGTH + 1])
{
	uint32_t microseconds = (uint32_t)(time_ns % NSEC_PER_SEC) / 1000;
	char *end = put_second(text, time_ns / NSEC_PER_SEC);

	end = put_two_digits(end, microseconds / 10000);
	end = put_two_digits(end, microseconds / 100 % 100);
	end = put_two_digits(end, microseconds % 100);
	*end++ = 'Z';
	*end = '\0';
	return text;
}

json_t *timestamp_to_json(uint64_t time_ns)
{
	char text[TIMESTAMP_LENGTH + 1];

	return time_ns ? json_string(timestamp_format(time_ns, text)) : json_null();
}

static int parse_age(const char *text, uint64_t now_ns, uint64_t *ret_ns)
{
	static const struct {
		char letter;
		uint64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	char *end;
	uint64_t count;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	count = strtoull(text, &end, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (end[0] != units[i].letter || end[1])
			continue;
		if (errno || count > now_ns / NSEC_PER_SEC / units[i].seconds)
			return -ERANGE;
		*ret_ns = now_ns - count * units[i].seconds * NSEC_PER_SEC;
		return 0;
	}
	return -EINVAL;
}

/* ".123456789": digits behind the ninth are dropped. Returns what follows, NULL: no digits. */
static const char *parse_fraction(const char *text, uint64_t *ret_ns)
{
	uint64_t fraction_ns = 0, digit_ns = NSEC_PER_SEC / 10;
	const char *first = text;

	for (; isdigit((unsigned char)*text); text++, digit_ns /= 10)
		fraction_ns += (uint64_t)(*text - '0') * digit_ns;
	*ret_ns = fraction_ns;
	return text > first ? text : NULL;
}

/* "Z" or "+02:00". */
static int parse_zone(const char *text, int64_t *ret_seconds)
{
	unsigned int hours, minutes;
	int length = 0;

	if (!strcmp(text, "Z") || !strcmp(text, "z")) {
		*ret_seconds = 0;
		return 0;
	}
	if ((*text != '+' && *text != '-') ||
		sscanf(text + 1, "%2u:%2u%n", &hours, &minutes, &length) != 2 || length != 5 ||
		text[6] || hours > 23 || minutes > 59)
		return -EINVAL;
	*ret_seconds = (int64_t)(hours * 3600 + minutes * 60) * (*text == '-' ? -1 : 1);
	return 0;
}

int timestamp_parse(const char *text, uint64_t now_ns, uint64_t *ret_ns)
{
	struct tm tm = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	uint64_t fraction_ns = 0;
	int64_t zone_seconds, seconds;

	if (!rest)
		return parse_age(text, now_ns, ret_ns);
	if (*rest == '.') {
		rest = parse_fraction(rest + 1, &fraction_ns);
		if (!rest)
			return -EINVAL;
	}
	if (parse_zone(rest, &zone_seconds) < 0)
		return -EINVAL;
	seconds = (int64_t)timegm(&tm) - zone_seconds;
	if (seconds < 0 || (uint64_t)seconds >= UINT64_MAX / NSEC_PER_SEC)
		return -ERANGE;
	*ret_ns = (uint64_t)seconds * NSEC_PER_SEC + fraction_ns;
	return 0;
}
