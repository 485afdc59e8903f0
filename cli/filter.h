/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --from, --to, --port, …: what flows, denied, map and top take, one to one the keys of the API. */
#pragma once

#include "flow/flow_filter.h"
#include "settings.h"

#include <argp.h>
#include <stdbool.h>

struct filter {
	const struct settings *settings;
	char *url;             /* of the request; begins as its path, and grows by each filter */
	char *url_of_any_time; /* the same without since and until */
	struct flow_filter *flow_filter; /* the same, for who asks no agent; NULL: everything */
	const char *since;               /* as given; NULL: not */
	const char *until;
	size_t limit;    /* 0: none */
	bool asks_agent; /* for what is in no log */
	bool of_one;     /* connection or refusal, by its id */
	bool narrowed;   /* by something other than time: an empty answer does not mean that nothing
			    happened */
};

/* A parser to put among a command's children; its input is a struct filter. A word that is no
 * option names a workload. Ends the program as wrongly used on a value that makes no sense. */
extern const struct argp filter_argp;
/* The same and --id, for who lists single connections and refusals: sums of them have none. */
extern const struct argp filter_records_argp;
/* The same and --alert, for who lists flows of the agent. */
extern const struct argp filter_flows_argp;

void filter_init(struct filter *filter, const struct settings *settings, const char *path);
void filter_clear(struct filter *filter);
/* As if the option had been given. */
void filter_add(struct filter *filter, const char *key, const char *value);
/* " since 10:00", " since Nov 20 10:00 until 11:00", or "" where it says nothing about time. New
 * string. */
char *filter_time(const struct filter *filter);

#define _cleanup_filter_ __attribute__((cleanup(filter_clear)))
