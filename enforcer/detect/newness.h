/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether an edge is usual for the role of its source. The engine's baseline knows an edge from its
 * first record on; what was new when it began stays new here for as long as it is remembered. There
 * is one for all detectors, so that they agree.
 */
#pragma once

#include "detect/detector.h"
#include "detect/seen.h"

enum novelty {
	NOVELTY_UNKNOWN, /* the role is still being learnt, or tried it in vain while it was */
	NOVELTY_USUAL,
	NOVELTY_NEW,
};

struct newness {
	const struct detect_context *context;
	struct seen edges; /* role, peer, service: that were new */
	struct seen early; /* that were there while the role was learnt, answered or not */
	/* Of the record that was announced last; NULL: none was. */
	const struct record *record;
	bool valid;
	uint64_t edge;
	enum novelty novelty;
};

/* context is borrowed. -ENOMEM */
int newness_open(struct newness *newness, const struct detect_context *context);
void newness_close(struct newness *newness);
/* Most detectors ask of the same record: what is found out is kept until the next call. NULL: of no
 * record. To be called again for the same one where the baseline has forgotten something. */
void newness_look(struct newness *newness, const struct record *record);
enum novelty newness_of(struct newness *newness, const struct record *record);
/* As party_edge(). */
uint64_t newness_edge(struct newness *newness, const struct record *record);
