// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/ledger.h"

#include <stdlib.h>
#include <utlist.h>

void *ledger_find(const struct ledger *ledger, const struct ledger_key *key)
{
	struct ledger_entry *entry;

	HASH_FIND(hh, ledger->entries, key, sizeof(*key), entry);
	return entry;
}

void ledger_remove(struct ledger *ledger, void *item)
{
	struct ledger_entry *entry = item;

	HASH_DELETE(hh, ledger->entries, entry);
	DL_DELETE(ledger->by_age, entry);
	if (ledger->clear)
		ledger->clear(entry);
	free(entry);
}

static struct ledger_entry *add(struct ledger *ledger, const struct ledger_key *key)
{
	struct ledger_entry *entry;

	if (HASH_COUNT(ledger->entries) >= ledger->size) {
		ledger->evicted++;
		ledger_remove(ledger, ledger->by_age);
	}
	entry = calloc(1, ledger->entry_bytes);
	if (entry) {
		entry->key = *key;
		HASH_ADD(hh, ledger->entries, key, sizeof(entry->key), entry);
	}
	if (!entry || !HASH_ADDED(entry)) {
		ledger->turned_away++;
		free(entry);
		return NULL;
	}
	DL_APPEND(ledger->by_age, entry);
	return entry;
}

void *ledger_touch(struct ledger *ledger, const struct ledger_key *key)
{
	struct ledger_entry *entry = ledger_find(ledger, key);

	if (!entry)
		return add(ledger, key);
	DL_DELETE(ledger->by_age, entry);
	DL_APPEND(ledger->by_age, entry);
	return entry;
}

void ledger_clear(struct ledger *ledger)
{
	while (ledger->by_age)
		ledger_remove(ledger, ledger->by_age);
}

json_t *ledgers_describe(const struct ledger *const ledgers[], size_t count, uint64_t forgotten)
{
	uint64_t entries = 0, size = 0, evicted = forgotten;

	for (size_t i = 0; i < count; i++) {
		entries += HASH_COUNT(ledgers[i]->entries);
		size += ledgers[i]->size;
		evicted += ledgers[i]->evicted + ledgers[i]->turned_away;
	}
	return json_pack("{s:I, s:I, s:I}", "entries", (json_int_t)entries, "size",
		(json_int_t)size, "evicted", (json_int_t)evicted);
}
