/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who follows. The callbacks may free any subscription, their own too. */
#pragma once

#include "flow/filter.h"
#include "flow/record.h"

#include <stdbool.h>
#include <stddef.h>

struct subscribers {
	struct flow_subscription *first;
	size_t count;
	unsigned int dispatching; /* freed subscriptions stay in the list while this is not 0 */
};

int subscribers_add(struct subscribers *subscribers, struct flow_filter *filter,
	void (*record)(const char *line, size_t length, void *userdata), void *userdata,
	struct flow_subscription **ret);
/* Whether anyone wants this record. */
bool subscribers_want(const struct subscribers *subscribers, const struct record *record);
void subscribers_dispatch(struct subscribers *subscribers, const struct record *record,
	const char *line, size_t length);
/* Frees all that are left. */
void subscribers_clear(struct subscribers *subscribers);
