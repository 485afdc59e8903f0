/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a detector remembers of somebody: entries by key, as many as were allowed. The one that was
 * idle for longest makes room, and is counted. An entry is a structure of the detector's own that
 * begins with struct ledger_entry.
 */
#pragma once

#include "base/large_hash.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* Hashes of who and what (party.h); parts that are not needed stay zero. */
struct ledger_key {
	uint64_t parts[3];
};

struct ledger_entry {
	struct ledger_key key;
	struct ledger_entry *prev, *next; /* from the longest idle to the latest */
	UT_hash_handle hh;
};

struct ledger {
	struct ledger_entry *entries;
	struct ledger_entry *by_age;
	size_t size;
	size_t entry_bytes;
	void (*clear)(void *entry); /* gives back what the entry owns; NULL: nothing */
	uint64_t evicted;
	uint64_t turned_away; /* for which there was no memory */
};

/* NULL: it is not there. */
void *ledger_find(const struct ledger *ledger, const struct ledger_key *key);
/* The same, moved to the latest; made, all zero behind its key, if it is not there. NULL: out of
 * memory, counted. */
void *ledger_touch(struct ledger *ledger, const struct ledger_key *key);
void ledger_remove(struct ledger *ledger, void *entry);
void ledger_clear(struct ledger *ledger);

/* {"entries": n, "size": n, "evicted": n} of all together. forgotten: what other tables of the
 * detector turned away, which is among the evicted. New reference. */
json_t *ledgers_describe(const struct ledger *const ledgers[], size_t count, uint64_t forgotten);
