/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a detector keeps of what it may have to tell: who, to whom, since when, and the flows that
 * show it. A part of its table entries; begins all zero.
 */
#pragma once

#include "detect/detector.h"

struct suspect {
	struct name *actor; /* references */
	struct name *target;
	struct address actor_address;
	struct address target_address;
	uint64_t first_ns;
	uint64_t last_ns;
	uint64_t count;
	uint64_t evidence[FINDING_EVIDENCE_MAX]; /* a ring */
};

/* One more record of the same: its ends become actor and target, its id evidence. */
void suspect_add(struct suspect *suspect, const struct record *record);
/* The record shows it, too, but it is not one more. */
void suspect_update(struct suspect *suspect, const struct record *record);
/* A connection goes on that is evidence already, unless it was cleared since. */
void suspect_go_on(struct suspect *suspect, const struct record *record, bool is_first);
void suspect_clear(struct suspect *suspect);
/* All that the suspect says; the caller fills in severity, key and sentences. Borrows. */
struct finding suspect_finding(
	const struct suspect *suspect, const char *detector, const char *technique);
/* Several targets are none. */
void finding_has_many_targets(struct finding *finding);

/* Cut, where need be, at the end of a character. */
void finding_key(struct finding *finding, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void finding_sentence(struct finding *finding, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void finding_because(struct finding *finding, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
