// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/newness.h"

#include "detect/party.h"

#define EDGES_MAX 8192

int newness_open(struct newness *newness, const struct detect_context *context)
{
	newness->context = context;
	return seen_open(&newness->edges, EDGES_MAX);
}

void newness_close(struct newness *newness)
{
	seen_close(&newness->edges);
}

enum novelty newness_of(struct newness *newness, const struct record *record)
{
	const struct detect_context *context = newness->context;
	uint64_t edge;

	if (!context->has_learnt(record, context->userdata))
		return NOVELTY_UNKNOWN;
	edge = party_edge(record);
	if (!context->edge_days(record, context->userdata)) {
		seen_add(&newness->edges, edge);
		return NOVELTY_NEW;
	}
	return seen_has(&newness->edges, edge) ? NOVELTY_NEW : NOVELTY_USUAL;
}
