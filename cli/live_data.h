/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the live screen asks of the agent each second. */
#pragma once

#include "live.h"

/*
 * Asks for status and map, and for flows while an edge is looked at. An agent that is away keeps
 * the last picture, with the reason in live->trouble. Edges get the members "what" (port),
 * "packets_sum", "bytes_sum", and a second's worth of each since the last answer: "packets_rate",
 * "bytes_rate", "connections_rate". An edge that is new since then starts from nothing, except with
 * the first answer, which says nothing about when its packets came.
 */
void live_data_ask(struct live *live);

/* The first answer: what fails from the start is told in one line, not on a screen. */
int live_data_begin(struct live *live, struct error *error);
void live_data_clear(struct live *live);

/* "shop/web", "host", "app=web": one end of a record, as the map calls it. New string. */
char *live_data_end(const struct live *live, const json_t *end);
