/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The map, or the difference of two of its intervals, from the agent. */
#pragma once

#include "client.h"
#include "filter.h"

struct map_request {
	const struct filter *filter;
	const char *group; /* label; NULL: each workload for itself */
	bool diff;         /* against another interval: */
	const char *with;  /* "SINCE[..UNTIL]"; NULL: the same length just before */
};

/* Ends the program as wrongly used where intervals make no sense. 0 or as client_get(). A
 * difference says in "diff" also what was compared: "after" and "before", each {"since", "until"}.
 */
int map_fetch(struct client *client, const struct map_request *request, json_t **ret,
	struct error *error);
