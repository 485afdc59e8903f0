/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/argument.h"

#include "flow/timestamp.h"

#include <errno.h>
#include <stdlib.h>

int argument_time(uint64_t *ret_ns, const char *key, const char *text, struct error *error)
{
	if (timestamp_parse(text, timestamp_now_ns(), ret_ns) < 0)
		return error_set(error, -EINVAL,
			"%s \"%s\": expected a time such as 2026-11-21T08:00:00Z, or 10s, 5m, 2h, "
			"1d ago",
			key, text);
	return 0;
}

int argument_limit(size_t *ret, const char *text, struct error *error)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || !number || number > SIZE_MAX)
		return error_set(error, -EINVAL, "limit \"%s\": expected a number from 1", text);
	*ret = (size_t)number;
	return 0;
}
