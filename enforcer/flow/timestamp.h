/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Points in time: nanoseconds of CLOCK_REALTIME inside, RFC 3339 in UTC outside. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#define TIMESTAMP_LENGTH 27 /* "2026-11-21T01:19:00.123456Z" */

uint64_t timestamp_now_ns(void);

/* text is exactly TIMESTAMP_LENGTH long, NUL-terminated. Returns text. */
const char *timestamp_format(uint64_t time_ns, char text[static TIMESTAMP_LENGTH + 1]);

/* JSON null for 0. New reference; NULL: out of memory. */
json_t *timestamp_to_json(uint64_t time_ns);

/* RFC 3339 with any zone and any number of digits of a second, or an age before now_ns: "10s",
 * "5m", "2h", "1d". -EINVAL: neither; -ERANGE: before 1970 or after 2554. */
int timestamp_parse(const char *text, uint64_t now_ns, uint64_t *ret_ns);
