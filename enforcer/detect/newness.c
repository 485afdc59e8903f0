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

static enum novelty novelty_of(struct newness *newness, const struct record *record, uint64_t edge)
{
	const struct detect_context *context = newness->context;

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

void newness_look(struct newness *newness, const struct record *record)
{
	newness->record = record;
	newness->valid = false;
}

static bool is_known(const struct newness *newness, const struct record *record)
{
	return newness->valid && newness->record == record;
}

uint64_t newness_edge(struct newness *newness, const struct record *record)
{
	return is_known(newness, record) ? newness->edge : party_edge(record);
}

enum novelty newness_of(struct newness *newness, const struct record *record)
{
	enum novelty novelty;
	uint64_t edge;

	if (is_known(newness, record))
		return newness->novelty;
	edge = party_edge(record);
	novelty = novelty_of(newness, record, edge);
	if (newness->record == record) {
		newness->valid = true;
		newness->edge = edge;
		newness->novelty = novelty;
	}
	return novelty;
}
