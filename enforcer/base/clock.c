/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"

#include <stdio.h>

const char *clock_format(uint64_t realtime_ns, char text[static CLOCK_TEXT_MAX])
{
	time_t seconds = (time_t)(realtime_ns / NS_PER_SECOND);
	struct tm calendar;
	size_t length;

	gmtime_r(&seconds, &calendar);
	length = strftime(text, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &calendar);
	snprintf(text + length, CLOCK_TEXT_MAX - length, ".%06uZ",
		(unsigned int)(realtime_ns % NS_PER_SECOND / 1000));
	return text;
}
