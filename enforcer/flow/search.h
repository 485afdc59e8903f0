/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks through the files of the flow log for records that match, in the background: newest files
 * first, in small steps while the event loop has nothing else to do.
 */
#pragma once

#include "base/error.h"
#include "flow/filter.h"

#include <jansson.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#define SEARCH_RECORDS_MAX 65536 /* the newest that match; a filter's limit is at most this */

struct search;

/*
 * Takes filter when it succeeds; it may be NULL. done is called once, from the event loop or from
 * search_free(), with what flow_history() gives (owned by it), or NULL and the error; the search is
 * freed behind it. -ENOENT: no such directory.
 */
int search_new(const char *directory, struct flow_filter *filter, sd_event *event,
	void (*done)(json_t *answer, const struct error *error, void *userdata), void *userdata,
	struct search **ret, struct error *error);
/* Gives it up: done is called with -ECANCELED. */
void search_free(struct search *search);
