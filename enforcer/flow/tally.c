/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/tally.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

_Static_assert(sizeof(struct tally_key) == 72, "struct tally_key has padding");

static void tally_free(struct tally *tally)
{
	name_release(tally->key.source_name);
	name_release(tally->key.destination_name);
	name_release(tally->key.rule);
	name_release(tally->rule);
	name_release(tally->application);
	free(tally);
}

static void remove_tally(struct tally_table *table, struct tally *tally)
{
	if (table->evicted)
		table->evicted(tally, table->userdata);
	HASH_DELETE(hh, table->tallies, tally);
	DL_DELETE(table->by_age, tally);
	tally_free(tally);
}

static void make_room(struct tally_table *table)
{
	struct tally *oldest = table->by_age;

	if (HASH_COUNT(table->tallies) < table->tallies_max)
		return;
	table->evicted_count++;
	table->evicted_packets += oldest->packets[0] + oldest->packets[1];
	remove_tally(table, oldest);
}

static struct tally *add_tally(struct tally_table *table, const struct tally_key *key)
{
	struct tally *tally;

	make_room(table);
	tally = calloc(1, sizeof(*tally));
	if (!tally)
		return NULL;
	tally->key = *key;
	HASH_ADD(hh, table->tallies, key, sizeof(tally->key), tally);
	if (!HASH_ADDED(tally)) {
		free(tally);
		return NULL;
	}
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

struct tally *tally_touch(
	struct tally_table *table, const struct tally_key *key, const struct record *record)
{
	struct tally *tally;

	HASH_FIND(hh, table->tallies, key, sizeof(*key), tally);
	if (tally)
		DL_DELETE(table->by_age, tally);
	else
		tally = add_tally(table, key);
	if (!tally) {
		table->turned_away++;
		return NULL;
	}
	DL_APPEND(table->by_age, tally);
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
	while (table->by_age)
		remove_tally(table, table->by_age);
}
