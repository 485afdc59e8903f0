/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/tally.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define CACHE_LINE 64

_Static_assert(sizeof(struct tally_key) == 72, "struct tally_key has padding");

static void remove_tally(struct tally_table *table, struct tally *tally)
{
	if (table->evicted)
		table->evicted(tally, table->userdata);
	HASH_DELETE(hh, table->tallies, tally);
	DL_DELETE(table->by_age, tally);
	name_release(tally->key.source_name);
	name_release(tally->key.destination_name);
	name_release(tally->key.rule);
	name_release(tally->rule);
	name_release(tally->application);
}

/* Those to go next were not touched for longest, so they have left the processor's caches: the
 * second's turn comes when the first goes, and by then the first has its place in the hash. */
static void fetch_oldest(const struct tally_table *table)
{
	const struct tally *first = table->by_age;
	const char *second = (const char *)first->next;

	hash_fetch_bucket(first->hh.tbl, first->hh.hashv);
	for (size_t offset = 0; second && offset < sizeof(*first); offset += CACHE_LINE)
		__builtin_prefetch(second + offset);
}

/* An empty one, in the oldest one's place if there is no room for more. */
static struct tally *new_tally(struct tally_table *table)
{
	struct tally *oldest = table->by_age;

	if (HASH_COUNT(table->tallies) < table->tallies_max)
		return calloc(1, sizeof(*oldest));
	table->evicted_count++;
	table->evicted_packets += oldest->packets[0] + oldest->packets[1];
	remove_tally(table, oldest);
	if (table->by_age)
		fetch_oldest(table);
	*oldest = (struct tally){0};
	return oldest;
}

static struct tally *add_tally(
	struct tally_table *table, const struct tally_key *key, unsigned int hash)
{
	struct tally *tally = new_tally(table);

	if (!tally)
		return NULL;
	tally->key = *key;
	HASH_ADD_BYHASHVALUE(hh, table->tallies, key, sizeof(tally->key), hash, tally);
	if (!HASH_ADDED(tally)) {
		free(tally);
		return NULL;
	}
	DL_APPEND(table->by_age, tally);
	name_reference(tally->key.source_name);
	name_reference(tally->key.destination_name);
	name_reference(tally->key.rule);
	return tally;
}

static void update_attributes(struct tally *tally, const struct record *record)
{
	const struct flow_event *event = &record->event;

	if (tally->rule != record->rule) {
		name_release(tally->rule);
		tally->rule = name_reference(record->rule);
	}
	if (record->observed.application && tally->application != record->observed.application) {
		name_release(tally->application);
		tally->application = name_reference(record->observed.application);
	}
	tally->reason = (uint8_t)event->reason;
	tally->direction = (uint8_t)event->direction;
	tally->tcp_flags |= event->tcp_flags;
	memcpy(tally->source_mac, event->source_mac, sizeof(tally->source_mac));
	memcpy(tally->destination_mac, event->destination_mac, sizeof(tally->destination_mac));
	if (!tally->start_ns || event->start_ns < tally->start_ns)
		tally->start_ns = event->start_ns;
	if (event->end_ns > tally->end_ns)
		tally->end_ns = event->end_ns;
}

static void make_latest(struct tally_table *table, struct tally *tally)
{
	/* The head's predecessor is the last. */
	if (table->by_age->prev == tally)
		return;
	DL_DELETE(table->by_age, tally);
	DL_APPEND(table->by_age, tally);
}

unsigned int tally_expect(const struct tally_table *table, const struct tally_key *key)
{
	unsigned int hash = hash_bytes(key, sizeof(*key));

	if (table->tallies)
		hash_fetch_bucket(table->tallies->hh.tbl, hash);
	return hash;
}

struct tally *tally_touch(
	struct tally_table *table, const struct tally_key *key, const struct record *record)
{
	return tally_touch_expected(table, key, tally_expect(table, key), record);
}

struct tally *tally_touch_expected(struct tally_table *table, const struct tally_key *key,
	unsigned int hash, const struct record *record)
{
	struct tally *tally;

	HASH_FIND_BYHASHVALUE(hh, table->tallies, key, sizeof(*key), hash, tally);
	if (tally)
		make_latest(table, tally);
	else
		tally = add_tally(table, key, hash);
	if (!tally) {
		table->turned_away++;
		return NULL;
	}
	update_attributes(tally, record);
	return tally;
}

void tally_add(
	struct tally *tally, const uint64_t packets[static 2], const uint64_t bytes[static 2])
{
	for (size_t side = 0; side < 2; side++) {
		tally->packets[side] += packets[side];
		tally->bytes[side] += bytes[side];
	}
}

struct record tally_record(const struct tally *tally)
{
	const struct tally_key *key = &tally->key;
	struct record record = {
		.event = {.verdict = key->verdict,
			.reason = tally->reason,
			.direction = tally->direction,
			.time_ns = tally->end_ns,
			.start_ns = tally->start_ns,
			.end_ns = tally->end_ns,
			.source = key->source,
			.destination = key->destination,
			.destination_port = key->port,
			.ethertype = key->ethertype,
			.protocol = key->protocol,
			.icmp_type = key->icmp_type,
			.icmp_code = key->icmp_code,
			.tcp_flags = tally->tcp_flags},
		.source = key->source_name,
		.destination = key->destination_name,
		.rule = tally->rule,
		.observed.application = tally->application,
	};

	memcpy(record.event.source_mac, tally->source_mac, sizeof(tally->source_mac));
	memcpy(record.event.destination_mac, tally->destination_mac,
		sizeof(tally->destination_mac));
	memcpy(record.event.packets, tally->packets, sizeof(tally->packets));
	memcpy(record.event.bytes, tally->bytes, sizeof(tally->bytes));
	return record;
}

void tally_table_clear(struct tally_table *table)
{
	struct tally *oldest;

	while ((oldest = table->by_age)) {
		remove_tally(table, oldest);
		free(oldest);
	}
}
