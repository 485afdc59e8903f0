/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/denied.h"

#include "base/cleanup.h"
#include "flow/protocol.h"
#include "flow/tally.h"
#include "flow/timestamp.h"
#include "flow/vocabulary.h"

#include <errno.h>
#include <stdlib.h>

struct denied {
	struct tally_table table;
};

int denied_new(size_t refusals_max, struct denied **ret)
{
	struct denied *denied = calloc(1, sizeof(*denied));

	if (!denied)
		return -ENOMEM;
	denied->table.tallies_max = refusals_max;
	*ret = denied;
	return 0;
}

void denied_free(struct denied *denied)
{
	if (!denied)
		return;
	tally_table_clear(&denied->table);
	free(denied);
}

void denied_add(struct denied *denied, const struct record *record)
{
	const struct flow_event *event = &record->event;
	struct tally_key key = {
		.source = event->source,
		.destination = event->destination,
		.source_name = record->source,
		.destination_name = record->destination,
		.rule = record->rule,
		.ethertype = protocol_is_ip(event->ethertype) ? 0 : event->ethertype,
		.port = event->destination_port,
		.protocol = event->protocol,
		.icmp_type = event->icmp_type,
		.icmp_code = event->icmp_code,
		.verdict = (uint8_t)event->verdict,
		.reason = (uint8_t)event->reason,
		.direction = (uint8_t)event->direction,
	};
	struct tally *tally = tally_touch(&denied->table, &key, record);

	if (tally)
		tally_add(tally, event->packets, event->bytes);
}

struct row {
	const struct tally *tally;
};

static int most_packets_first(const void *a, const void *b)
{
	const struct tally *first = ((const struct row *)a)->tally;
	const struct tally *second = ((const struct row *)b)->tally;

	if (first->packets[0] != second->packets[0])
		return first->packets[0] < second->packets[0] ? 1 : -1;
	return first->end_ns < second->end_ns ? 1 : first->end_ns > second->end_ns ? -1 : 0;
}

/* NULL: out of memory. */
static struct row *select_sorted(
	const struct denied *denied, const struct flow_filter *filter, size_t *ret_count)
{
	struct row *rows = calloc(HASH_COUNT(denied->table.tallies) + 1, sizeof(*rows));
	size_t count = 0;

	if (!rows)
		return NULL;
	for (const struct tally *tally = denied->table.by_age; tally; tally = tally->next) {
		struct record record = tally_record(tally);

		if (filter_matches(filter, &record, tally->start_ns))
			rows[count++].tally = tally;
	}
	qsort(rows, count, sizeof(*rows), most_packets_first);
	*ret_count = count;
	return rows;
}

static json_t *end_to_json(const struct record *record, enum record_end end, struct writer *scratch)
{
	writer_reset(scratch);
	record_write_end(record, end, scratch);
	return scratch->failed ? NULL : json_loadb(scratch->data, scratch->length, 0, NULL);
}

static json_int_t both_sides(const uint64_t pair[static 2])
{
	uint64_t sum = pair[0] + pair[1];

	return (json_int_t)sum;
}

/* The store keeps addresses of the world only. */
static void forget_address(json_t *end, const struct address *address)
{
	static const struct address none;

	if (end && address_equal(address, &none))
		json_object_del(end, "ip");
}

static json_t *refusal_to_json(const struct tally *tally, bool past, struct writer *scratch)
{
	struct record record = tally_record(tally);
	char protocol[PROTOCOL_TEXT_MAX], start[TIMESTAMP_LENGTH + 1], end[TIMESTAMP_LENGTH + 1];
	json_t *destination = end_to_json(&record, RECORD_DESTINATION, scratch);
	json_t *refusal, *source = end_to_json(&record, RECORD_SOURCE, scratch);

	if (source)
		json_object_del(source, "port"); /* a refusal gathers many source ports */
	if (past) {
		forget_address(source, &record.event.source);
		forget_address(destination, &record.event.destination);
	}
	refusal = json_pack("{s:o, s:o, s:s, s:i, s:s, s:s, s:s, s:O?, s:s, s:I, s:I, s:s, s:s}",
		"source", source, "destination", destination, "protocol",
		protocol_format(tally->key.ethertype, tally->key.protocol, protocol), "port",
		(int)tally->key.port, "reason", reason_name(record.event.reason), "sentence",
		reason_sentence(record.event.reason), "direction",
		direction_name(record.event.direction), "rule",
		tally->rule ? tally->rule->json : NULL, "verdict",
		flow_verdict_name(record.event.verdict), "packets", both_sides(tally->packets),
		"bytes", both_sides(tally->bytes), "start",
		timestamp_format(tally->start_ns, start), "end",
		timestamp_format(tally->end_ns, end));
	if (refusal && protocol_is_icmp(tally->key.protocol) && !tally->key.ethertype)
		json_object_set_new(refusal, "icmp",
			json_pack("{s:i, s:i}", "type", tally->key.icmp_type, "code",
				tally->key.icmp_code));
	return refusal;
}

static json_t *to_json(const struct denied *denied, const struct flow_filter *filter, bool past)
{
	_cleanup_(writer_clear) struct writer scratch = WRITER_INIT;
	size_t count, limit = filter_limit(filter);
	_cleanup_free_ struct row *rows = select_sorted(denied, filter, &count);
	json_t *refusals;

	if (!rows)
		return NULL;
	refusals = json_array();
	for (size_t i = 0; i < count && i < limit; i++)
		if (json_array_append_new(
			    refusals, refusal_to_json(rows[i].tally, past, &scratch)) < 0) {
			json_decref(refusals);
			return NULL;
		}
	return json_pack("{s:o}", "denied", refusals);
}

json_t *denied_to_json(const struct denied *denied, const struct flow_filter *filter)
{
	return to_json(denied, filter, false);
}

static void add_past(const struct tally *tally, void *userdata)
{
	struct denied *denied = userdata;
	struct record record = tally_record(tally);
	struct tally *kept;

	if (tally->key.verdict != FLOW_REFUSED)
		return;
	kept = tally_touch(&denied->table, &tally->key, &record);
	if (kept)
		tally_add(kept, tally->packets, tally->bytes);
}

int denied_of_store(struct flow_store *store, const struct flow_filter *filter, json_t **ret,
	struct error *error)
{
	_cleanup_(denied_freep) struct denied *denied = NULL;
	json_t *json;
	int r = denied_new(STORE_PENDING_MAX, &denied);

	if (r < 0)
		return error_nomem(error);
	r = flow_store_for_each(store, filter, add_past, denied, error);
	if (r < 0)
		return r;
	json = to_json(denied, filter, true);
	if (!json)
		return error_nomem(error);
	*ret = json;
	return 0;
}

json_t *denied_describe(const struct denied *denied)
{
	const struct tally_table *table = &denied->table;

	return json_pack("{s:I, s:I, s:I, s:I}", "refusals", (json_int_t)HASH_COUNT(table->tallies),
		"evicted", (json_int_t)table->evicted_count, "evicted_packets",
		(json_int_t)table->evicted_packets, "turned_away", (json_int_t)table->turned_away);
}
