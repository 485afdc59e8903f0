// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/store.h"

#include "base/cleanup.h"
#include "flow/inherited_ids.h"
#include "flow/protocol.h"
#include "flow/store_query.h"
#include "flow/store_writer.h"
#include "flow/timestamp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define NS_PER_SECOND  1000000000ULL
#define GIVE_USEC      2000000ULL
#define GIVE_ACCURACY  500000ULL
#define MINUTE_SECONDS 60

struct pending {
	struct store_batch batch; /* of one minute */
	struct pending *next;
};

struct flow_store {
	char *path;
	struct store_writer *writer;
	struct store_query *query;
	struct pending *batches; /* oldest first; the writer has the first while given */
	size_t pending;          /* sums in all of them */
	bool given;
	struct store_running stored; /* by earlier agents */
	struct inherited_ids inherited;
	uint64_t turned_away; /* events */
	sd_event_source *timer;
};

static void pending_free(struct pending *pending)
{
	tally_table_clear(&pending->batch.edges);
	store_running_clear(&pending->batch.running);
	free(pending);
}

static void drop_first(struct flow_store *store)
{
	struct pending *first = store->batches;

	store->pending -= HASH_COUNT(first->batch.edges.tallies);
	LL_DELETE(store->batches, first);
	pending_free(first);
	store->given = false;
}

/* Hands the writer the next batch if it has finished the last. */
static void give(struct flow_store *store)
{
	if (store->given && !store_writer_is_idle(store->writer))
		return;
	if (store->given)
		drop_first(store);
	if (!store->batches)
		return;
	store_writer_give(store->writer, &store->batches->batch);
	store->given = true;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct flow_store *store = userdata;

	(void)usec;
	give(store);
	sd_event_source_set_time_relative(source, GIVE_USEC);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void inherit_ids(struct flow_store *store)
{
	for (const struct store_connection *connection = store->stored.connections; connection;
		connection = connection->hh.next)
		if (connection->record_id && connection->record_id != connection->id)
			inherited_ids_add(&store->inherited, connection->id, connection->record_id);
}

int flow_store_new(
	const struct flow_store_options *options, sd_event *event, struct flow_store **ret)
{
	_cleanup_(flow_store_freep) struct flow_store *store = calloc(1, sizeof(*store));
	struct store_retention retention = {
		.age_seconds = (int64_t)(options->retention_ns / NS_PER_SECOND),
		.size_bytes_max = (int64_t)options->size_bytes_max,
	};
	int r;

	if (!store)
		return -ENOMEM;
	store->path = strdup(options->path);
	if (!store->path)
		return -ENOMEM;
	store->stored = store_running_load(store->path);
	inherit_ids(store);
	r = store_query_new(store->path, &store->query);
	if (!r)
		r = sd_event_add_time_relative(event, &store->timer, CLOCK_MONOTONIC, GIVE_USEC,
			GIVE_ACCURACY, on_timer, store);
	if (r >= 0)
		r = store_writer_new(store->path, &retention, &store->writer);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(store);
	return 0;
}

void flow_store_free(struct flow_store *store)
{
	if (!store)
		return;
	if (store->writer)
		flow_store_flush(store, NULL);
	sd_event_source_disable_unref(store->timer);
	/* The last to close is the one that can put the journal into the file. */
	store_query_free(store->query);
	store_writer_free(store->writer);
	while (store->batches)
		drop_first(store);
	store_running_clear(&store->stored);
	inherited_ids_clear(&store->inherited);
	free(store->path);
	free(store);
}

/* The batch that events of this minute belong to; never the one that the writer reads. Around the
 * full minute events of both come by turns. */
static struct pending *batch_of(struct flow_store *store, int64_t time)
{
	struct pending *batch = store->batches;

	if (batch && store->given)
		batch = batch->next;
	while (batch && batch->batch.time != time)
		batch = batch->next;
	if (batch)
		return batch;
	batch = calloc(1, sizeof(*batch));
	if (!batch)
		return NULL;
	batch->batch.time = time;
	batch->batch.edges.tallies_max = SIZE_MAX;
	LL_APPEND(store->batches, batch);
	return batch;
}

/* Only the world is told apart by address: a workload's is not its own for a month. */
static struct address address_to_keep(const struct name *name, const struct address *address)
{
	static const struct address none;
	const char *entity = name_entity(name);

	return name && (!entity || strcmp(entity, "world")) ? none : *address;
}

static struct tally_key key_of(const struct record *record)
{
	const struct flow_event *event = &record->event;
	bool ip = protocol_is_ip(event->ethertype);

	return (struct tally_key){
		.source = address_to_keep(record->source, &event->source),
		.destination = address_to_keep(record->destination, &event->destination),
		.source_name = record->source,
		.destination_name = record->destination,
		.rule = record->rule,
		.ethertype = ip ? 0 : event->ethertype,
		.port = ip && protocol_has_ports(event->protocol) ? event->destination_port : 0,
		.protocol = event->protocol,
		.icmp_type = event->icmp_type,
		.icmp_code = event->icmp_code,
		.verdict = (uint8_t)event->verdict,
		.reason = (uint8_t)event->reason,
		.direction = (uint8_t)event->direction,
	};
}

/* The sums of the edge in the present minute. NULL: there is no room. */
static struct tally *find_edge(
	struct flow_store *store, const struct record *record, struct pending **ret_batch)
{
	int64_t seconds = (int64_t)(record->event.time_ns / NS_PER_SECOND);
	struct tally_key key = key_of(record);
	struct pending *batch = NULL;
	struct tally *edge;
	size_t before;

	if (store->pending < STORE_PENDING_MAX)
		batch = batch_of(store, seconds - seconds % MINUTE_SECONDS);
	if (!batch)
		return NULL;
	before = HASH_COUNT(batch->batch.edges.tallies);
	edge = tally_touch(&batch->batch.edges, &key, record);
	store->pending += HASH_COUNT(batch->batch.edges.tallies) - before;
	*ret_batch = batch;
	return edge;
}

void flow_store_add(struct flow_store *store, const struct record *record, uint64_t connections,
	const uint64_t packets[static 2], const uint64_t bytes[static 2])
{
	const struct flow_event *event = &record->event;
	struct store_addition addition = {
		connections, {packets[0], packets[1]}, {bytes[0], bytes[1]}};
	bool has_row = memcmp(packets, event->packets, sizeof(event->packets)) != 0;
	struct pending *batch;
	struct tally *edge = find_edge(store, record, &batch);

	if (event->type == FLOW_END)
		inherited_ids_forget(&store->inherited, event);
	if (!edge) {
		store->turned_away++;
		return;
	}
	if (connections && event->type != FLOW_NEW)
		has_row |= store_running_take_off(&store->stored, event, &addition);
	edge->connections += addition.connections;
	tally_add(edge, addition.packets, addition.bytes);
	store_running_note(&batch->batch.running, event, has_row, STORE_PENDING_MAX);
}

uint64_t flow_store_record_id(const struct flow_store *store, const struct flow_event *event)
{
	return inherited_ids_find(&store->inherited, event);
}

int flow_store_flush(struct flow_store *store, struct error *error)
{
	int r = 0;

	for (give(store); !r && store->batches; give(store))
		r = store_writer_wait(store->writer, error);
	return r;
}

int flow_store_for_each(struct flow_store *store, const struct flow_filter *filter,
	void (*visit)(const struct tally *edge, void *userdata), void *userdata,
	struct error *error)
{
	return store_query_run(store->query, filter, visit, userdata, error);
}

void flow_store_problem(
	struct flow_store *store, char **ret_error, char **ret_set_aside, uint64_t *ret_turned_away)
{
	struct store_writer_state state;

	store_writer_state(store->writer, &state);
	*ret_error = TAKE_PTR(state.error);
	*ret_set_aside = TAKE_PTR(state.set_aside);
	*ret_turned_away = store->turned_away;
}

json_t *flow_store_describe(struct flow_store *store)
{
	struct store_writer_state state;
	json_t *json;

	store_writer_state(store->writer, &state);
	json = json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:s?, s:s?}", "path", store->path, "ready",
		state.ready, "bytes", (json_int_t)state.bytes, "pending",
		(json_int_t)store->pending, "turned_away", (json_int_t)store->turned_away,
		"failures", (json_int_t)state.failures, "error", state.error, "set_aside",
		state.set_aside);
	store_writer_state_clear(&state);
	return json;
}
