/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which alerts somebody asks for: keys as in the API's query. */
#pragma once

#include "base/error.h"
#include "detect/alerts.h"

#include <stdbool.h>

struct alert_filter {
	char *detector; /* NULL: any, as for … */
	char *technique;
	char *actor; /* "namespace/name", "name", an address, "host" */
	char *target;
	char *incident;
	enum severity severity; /* and above */
	int open;               /* 1: only open ones, 0: only closed ones, -1: both */
	int acknowledged;
	int muted;
	uint64_t since_ns;
	uint64_t until_ns; /* 0: no end */
	size_t limit;      /* 0: none; the newest so many */
};

void alert_filter_init(struct alert_filter *filter);
void alert_filter_clear(struct alert_filter *filter);
/* -EINVAL: unknown key or bad value, in error. */
int alert_filter_set(
	struct alert_filter *filter, const char *key, const char *value, struct error *error);
/* Without regard to the limit. */
bool alert_filter_matches(const struct alert_filter *filter, const struct alert *alert);
/* Those that match, the latest last. New reference; NULL: out of memory. */
json_t *alert_filter_list(const struct alert_filter *filter, const struct alerts *alerts);

#define _cleanup_alert_filter_ __attribute__((cleanup(alert_filter_clear)))
