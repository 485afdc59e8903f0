/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Refusals, which the kernel adds up by kind. What was reported of each is remembered, so that only
 * the difference is reported next time and the totals are exact.
 */
#pragma once

#include "base/error.h"
#include "base/hash.h"
#include "dataplane/bpf/batch.h"
#include "dataplane/bpf/objects.h"
#include "dataplane/bpf/report.h"
#include "dataplane/bpf/reported.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct denial {
	struct abi_denial_key key;
	struct reported_count reported;
	uint32_t sequence;
	UT_hash_handle hh;
};

struct denials {
	const struct objects *objects;
	struct report *report;
	struct walk walk;
	struct denial *items;
	uint32_t sequence;
	bool resting;       /* the last collection met an entry that has rested long enough */
	uint64_t turned_ns; /* when the running epoch began */
	struct reported reported;
};

/* Remembers what earlier agents have reported. */
int denials_open(struct denials *denials, const struct objects *objects, const struct pins *pins,
	struct report *report, struct error *error);
/*
 * Reports what has come since the last time, and what was lost on the way up.
 *
 * Where entries have rested, a new epoch begins: packets make new entries for whatever they
 * refuse, and once no packet is under way that has read the former epoch, its entries are reported
 * for the last time and deleted. So none is deleted while a packet is being counted into it.
 */
int denials_collect(struct denials *denials, struct error *error);
void denials_close(struct denials *denials);
