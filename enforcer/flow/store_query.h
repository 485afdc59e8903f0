/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to the store, over a connection of their own: they see whole batches only. */
#pragma once

#include "base/error.h"
#include "flow/filter.h"
#include "flow/tally.h"

struct store_query;

/* The file is opened when it is asked for the first time. */
int store_query_new(const char *path, struct store_query **ret);
void store_query_free(struct store_query *query);
/* As flow_store_for_each(). */
int store_query_run(struct store_query *query, const struct flow_filter *filter,
	void (*visit)(const struct tally *edge, void *userdata), void *userdata,
	struct error *error);
