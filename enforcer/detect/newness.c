// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/newness.h"

#include "detect/party.h"

#define EDGES_MAX 8192
#define EARLY_MAX 16384

int newness_open(struct newness *newness, const struct detect_context *context)
{
	int r;

	*newness = (struct newness){.context = context};
	r = seen_open(&newness->edges, EDGES_MAX);
	if (!r)
		r = seen_open(&newness->early, EARLY_MAX);
	if (r < 0)
		newness_close(newness);
	return r;
}

void newness_close(struct newness *newness)
{
	seen_close(&newness->edges);
	seen_close(&newness->early);
}

enum novelty newness_of(struct newness *newness, const struct record *record)
{
	const struct detect_context *context = newness->context;
	uint64_t edge = party_edge(record);

	if (!context->has_learnt(record, context->userdata)) {
		seen_add(&newness->early, edge);
		return NOVELTY_UNKNOWN;
	}
	if (seen_has(&newness->edges, edge))
		return NOVELTY_NEW;
	if (context->edge_days(record, context->userdata))
		return NOVELTY_USUAL;
	if (seen_has(&newness->early, edge))
		return NOVELTY_UNKNOWN;
	seen_add(&newness->edges, edge);
	return NOVELTY_NEW;
}
