/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the registry share; nobody else includes this. */
#pragma once

#include "base/hash.h"
#include "workload/registry.h"

/* Who an address belongs to now. */
struct registry_owner {
	struct address address;
	struct registry_entry *entry;
	bool forgotten; /* given up; its place in the array stays, since hash nodes cannot move */
	UT_hash_handle hh;
};

struct registry_entry {
	char *key; /* source, newline, id */
	struct workload *workload;
	char *wanted_name; /* as the source gave it, before a conflict was resolved */
	/* One for each address it was put with; those that a newer claim took are not in the hash.
	 */
	struct registry_owner *owners;
	size_t owners_count;
	UT_hash_handle hh;
};

struct registry {
	struct registry_entry *entries; /* in the order of registry_at() */
	struct registry_owner *owners;  /* by address */
	const struct workload **sorted;
	size_t sorted_size;
	sd_event_source *notify;
	uint64_t changes;
	void (*changed)(void *userdata);
	void *userdata;
};

/* Settles the name of an entry that is about to replace former (NULL: none). */
int registry_resolve_name(const struct registry *registry, struct registry_entry *entry,
	const struct registry_entry *former);

/* Notes the addresses that the entry's workload is put with, and drops those that it has lost to a
 * newer claim. */
int registry_claims_prepare(const struct registry *registry, struct registry_entry *entry,
	const struct registry_entry *former);
bool registry_claims_equal(const struct registry_entry *a, const struct registry_entry *b);
/* Makes the entry owner of its addresses and interfaces; whoever had them loses them. */
int registry_claims_take(struct registry *registry, struct registry_entry *entry);
void registry_claims_release(struct registry *registry, const struct registry_entry *entry);
/* The entry gives up its claim to one address. */
void registry_claims_forget(
	struct registry *registry, struct registry_entry *entry, const struct address *address);
const struct registry_owner *registry_claims_find(
	const struct registry *registry, const struct address *address);
