/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/pipeline.h"

#include "base/cleanup.h"
#include "flow/cache.h"
#include "flow/denied.h"
#include "flow/endpoints.h"
#include "flow/filter.h"
#include "flow/graph.h"
#include "flow/history.h"
#include "flow/log.h"
#include "flow/map.h"
#include "flow/name.h"
#include "flow/record.h"
#include "flow/resolve.h"
#include "flow/search.h"
#include "flow/storage.h"
#include "flow/store.h"
#include "flow/subscribe.h"
#include "flow/vocabulary.h"

#include <errno.h>
#include <stdlib.h>

#define LOG_FILE_BYTES  (64ULL << 20)
#define LOG_TOTAL_BYTES (1ULL << 30)
#define LOG_FILE_NS     (24ULL * 3600 * 1000000000)
#define STORE_BYTES     (1ULL << 30)
#define STORE_NS        (90ULL * 86400 * 1000000000)
#define HISTORY_RECORDS 8192
#define HISTORY_BYTES   (16UL << 20)
#define SEARCHES_MAX    4 /* under way at once */
#define EDGES_MAX       65536
#define CONNECTIONS_MAX 65536
#define REFUSALS_MAX    16384

struct flow_pipeline {
	struct name_pool *names;
	struct flow_resolver resolver;
	struct cache *cache;
	struct name *node;
	struct flow_log *log; /* NULL: none */
	char *log_directory;
	sd_event *event;
	struct search *searches[SEARCHES_MAX]; /* NULL: not in use */
	struct flow_store *store;              /* NULL: none */
	struct history *history;
	struct map *map;
	struct denied *denied;
	struct subscribers subscribers;
	void (*observer)(const struct record *record, void *userdata); /* NULL: none */
	void *observer_userdata;
	struct writer line;
	uint64_t events;
	uint64_t records;
	uint64_t told[FLOW_GAP + 1][FLOW_AUDITED + 1]; /* the same by event and verdict */
	uint64_t lost;                                 /* as the data plane reported */
	uint64_t invalid;                              /* events that make no sense */
	uint64_t subscribers_lost;                     /* lines for which there was no memory */
};

static inline void flow_pipeline_freep(struct flow_pipeline **pipeline)
{
	flow_pipeline_free(*pipeline);
}

static int open_log(
	struct flow_pipeline *pipeline, const struct flow_options *options, sd_event *event)
{
	struct flow_log_options log = {
		.directory = options->log_directory,
		.file_bytes = options->log_file_bytes ? options->log_file_bytes : LOG_FILE_BYTES,
		.total_bytes =
			options->log_total_bytes ? options->log_total_bytes : LOG_TOTAL_BYTES,
		.file_age_ns = options->log_file_ns ? options->log_file_ns : LOG_FILE_NS,
		.node = pipeline->node,
	};

	if (!options->log_directory)
		return 0;
	pipeline->event = sd_event_ref(event);
	pipeline->log_directory = strdup(options->log_directory);
	return pipeline->log_directory ? flow_log_new(&log, event, &pipeline->log) : -ENOMEM;
}

/* All that is added up besides the map. */
static void on_traffic(const struct record *record, uint64_t connections,
	const uint64_t packets[static 2], const uint64_t bytes[static 2], void *userdata)
{
	struct flow_pipeline *pipeline = userdata;

	if (record->event.type == FLOW_DENIED)
		denied_add(pipeline->denied, record);
	if (pipeline->store)
		flow_store_add(pipeline->store, record, connections, packets, bytes);
}

static int open_store(
	struct flow_pipeline *pipeline, const struct flow_options *options, sd_event *event)
{
	struct flow_store_options store = {
		.path = options->store_path,
		.size_bytes_max = options->store_bytes ? options->store_bytes : STORE_BYTES,
		.retention_ns = options->store_ns ? options->store_ns : STORE_NS,
	};

	return options->store_path ? flow_store_new(&store, event, &pipeline->store) : 0;
}

static int make_parts(struct flow_pipeline *pipeline, const struct flow_options *options,
	const struct flow_resolver *resolver)
{
	size_t records = options->history_records ? options->history_records : HISTORY_RECORDS;
	int result = name_pool_new(&pipeline->names);

	if (result < 0)
		return result;
	pipeline->node = name_new(NULL, json_string(options->node));
	if (!pipeline->node)
		return -ENOMEM;
	pipeline->resolver = *resolver;
	result = cache_new(resolver, pipeline->names, &pipeline->cache);
	if (result < 0)
		return result;
	result = history_new(records, HISTORY_BYTES, &pipeline->history);
	if (result < 0)
		return result;
	result = map_new(EDGES_MAX, CONNECTIONS_MAX, &pipeline->map);
	if (result < 0)
		return result;
	map_observe(pipeline->map, on_traffic, pipeline);
	return denied_new(REFUSALS_MAX, &pipeline->denied);
}

int flow_pipeline_new(const struct flow_options *options, const struct flow_resolver *resolver,
	sd_event *event, struct flow_pipeline **ret, struct error *error)
{
	_cleanup_(flow_pipeline_freep) struct flow_pipeline *pipeline =
		calloc(1, sizeof(*pipeline));
	int result;

	if (!pipeline)
		return error_nomem(error);
	result = make_parts(pipeline, options, resolver);
	if (!result)
		result = open_log(pipeline, options, event);
	if (!result)
		result = open_store(pipeline, options, event);
	if (result < 0)
		return error_errno(error, result, "start the flow pipeline");
	*ret = TAKE_PTR(pipeline);
	return 0;
}

void flow_pipeline_free(struct flow_pipeline *pipeline)
{
	if (!pipeline)
		return;
	flow_records_cancel(pipeline);
	subscribers_clear(&pipeline->subscribers);
	flow_log_free(pipeline->log);
	free(pipeline->log_directory);
	sd_event_unref(pipeline->event);
	flow_store_free(pipeline->store);
	denied_free(pipeline->denied);
	map_free(pipeline->map);
	history_free(pipeline->history);
	cache_free(pipeline->cache);
	name_release(pipeline->node);
	name_pool_free(pipeline->names);
	writer_clear(&pipeline->line);
	free(pipeline);
}

static struct record record_of(const struct flow_pipeline *pipeline, const struct flow_event *event)
{
	struct record record = {.event = *event};

	if (pipeline->store)
		record.event.id = flow_store_record_id(pipeline->store, event);
	return record;
}

static void resolve(struct flow_pipeline *pipeline, struct record *record)
{
	cache_resolve(pipeline->cache, record);
	resolve_observed(&pipeline->resolver, pipeline->names, record);
}

/* A record is only formatted when someone wants to read it now. */
static void hand_out(struct flow_pipeline *pipeline, const struct record *record)
{
	struct writer *line = &pipeline->line;
	bool followed = subscribers_want(&pipeline->subscribers, record);

	if (!pipeline->log && !followed)
		return;
	writer_reset(line);
	record_write(record, pipeline->node, line);
	if (line->failed) {
		pipeline->subscribers_lost += followed;
		return;
	}
	if (pipeline->log)
		flow_log_add(pipeline->log, line->data, line->length);
	if (followed)
		subscribers_dispatch(&pipeline->subscribers, record, line->data, line->length);
}

/* One that is a record in any case: while its line is written, the connection comes from memory. */
static void hand_out_and_add(struct flow_pipeline *pipeline, const struct record *record)
{
	map_fetch_connection(pipeline->map, &record->event);
	hand_out(pipeline, record);
	map_add(pipeline->map, record);
}

static bool is_valid(const struct flow_event *event)
{
	return (unsigned int)event->type <= FLOW_GAP &&
	       (unsigned int)event->verdict <= FLOW_AUDITED &&
	       (unsigned int)event->reason < REASON_COUNT &&
	       (unsigned int)event->direction < DIRECTION_COUNT;
}

void flow_pipeline_event(struct flow_pipeline *pipeline, const struct flow_event *event)
{
	struct record record;

	pipeline->events++;
	if (!is_valid(event)) {
		pipeline->invalid++;
		return;
	}
	record = record_of(pipeline, event);
	map_fetch_place(pipeline->map, &record.event);
	if (event->type == FLOW_GAP)
		pipeline->lost += event->lost;
	else
		resolve(pipeline, &record);
	if (event->type != FLOW_UPDATE)
		hand_out_and_add(pipeline, &record);
	else if (map_add(pipeline->map, &record))
		hand_out(pipeline, &record);
	else {
		record_clear(&record);
		return;
	}
	pipeline->records++;
	pipeline->told[event->type][event->verdict]++;
	if (pipeline->observer)
		pipeline->observer(&record, pipeline->observer_userdata);
	history_take(pipeline->history, &record);
}

void flow_pipeline_observe(struct flow_pipeline *pipeline,
	void (*observer)(const struct record *record, void *userdata), void *userdata)
{
	pipeline->observer = observer;
	pipeline->observer_userdata = userdata;
}

struct name *flow_pipeline_endpoint(struct flow_pipeline *pipeline, const struct address *address)
{
	return cache_endpoint(pipeline->cache, address);
}

void flow_pipeline_names_changed(struct flow_pipeline *pipeline)
{
	cache_invalidate(pipeline->cache);
}

int flow_pipeline_flush(struct flow_pipeline *pipeline, struct error *error)
{
	return pipeline->log ? flow_log_flush(pipeline->log, error) : 0;
}

/* The index of the first of the newest records that match, no more than the filter's limit. */
static size_t find_first(const struct history *history, const struct flow_filter *filter)
{
	size_t index = history_count(history), left = filter_limit(filter);

	while (index && left) {
		const struct record *record = history_at(history, --index);

		if (record->event.type != FLOW_GAP &&
			filter_matches(filter, record, record->event.time_ns))
			left--;
	}
	return index;
}

int flow_record(struct flow_pipeline *pipeline, const struct flow_event *event,
	const struct flow_filter *filter, json_t **ret)
{
	struct record record = record_of(pipeline, event);
	json_t *json = NULL;
	bool matches;

	resolve(pipeline, &record);
	matches = filter_matches(filter, &record, event->time_ns);
	if (matches)
		json = record_to_json(&record, pipeline->node, &pipeline->line);
	record_clear(&record);
	if (!matches)
		return 0;
	if (!json)
		return -ENOMEM;
	*ret = json;
	return 1;
}

json_t *flow_history(struct flow_pipeline *pipeline, const struct flow_filter *filter)
{
	const struct history *history = pipeline->history;
	size_t count = history_count(history);
	json_t *flows = json_array();
	uint64_t gaps = 0;

	for (size_t i = find_first(history, filter); i < count; i++) {
		const struct record *record = history_at(history, i);

		if (!filter_matches(filter, record, record->event.time_ns))
			continue;
		if (record->event.type == FLOW_GAP) {
			gaps += record->event.lost;
			continue;
		}
		if (json_array_append_new(
			    flows, record_to_json(record, pipeline->node, &pipeline->line)) < 0) {
			json_decref(flows);
			return NULL;
		}
	}
	return json_pack("{s:o, s:I}", "flows", flows, "gaps", (json_int_t)gaps);
}

/* What a search answers, and to whom. */
struct wanted {
	struct flow_pipeline *pipeline;
	size_t place; /* in searches */
	void (*done)(json_t *answer, const struct error *error, void *userdata);
	void *userdata;
};

static void on_searched(json_t *answer, const struct error *error, void *userdata)
{
	struct wanted *wanted = userdata;

	wanted->pipeline->searches[wanted->place] = NULL;
	wanted->done(answer, error, wanted->userdata);
	free(wanted);
}

static bool memory_reaches_back(
	const struct flow_pipeline *pipeline, const struct flow_filter *filter)
{
	const struct history *history = pipeline->history;

	return !pipeline->log || (!filter_since_ns(filter) && !filter_until_ns(filter)) ||
	       (history_count(history) &&
		       history_at(history, 0)->event.time_ns <= filter_since_ns(filter));
}

static int search_files(struct flow_pipeline *pipeline, struct flow_filter *filter,
	struct wanted *wanted, struct error *error)
{
	int r;

	while (wanted->place < SEARCHES_MAX && pipeline->searches[wanted->place])
		wanted->place++;
	if (wanted->place == SEARCHES_MAX)
		return error_set(error, -EBUSY,
			"%d searches of the flow log are under way: try again later", SEARCHES_MAX);
	r = flow_log_flush(pipeline->log, error);
	return r < 0 ? r
		     : search_new(pipeline->log_directory, filter, pipeline->event, on_searched,
			       wanted, &pipeline->searches[wanted->place], error);
}

void flow_records(struct flow_pipeline *pipeline, struct flow_filter *filter,
	void (*done)(json_t *answer, const struct error *error, void *userdata), void *userdata)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct wanted *wanted;
	int r;

	if (memory_reaches_back(pipeline, filter)) {
		done(flow_history(pipeline, filter), NULL, userdata);
		flow_filter_free(filter);
		return;
	}
	wanted = malloc(sizeof(*wanted));
	if (wanted)
		*wanted = (struct wanted){.pipeline = pipeline, .done = done, .userdata = userdata};
	r = wanted ? search_files(pipeline, filter, wanted, &error) : error_nomem(&error);
	if (!r)
		return;
	done(NULL, &error, userdata);
	free(wanted);
	flow_filter_free(filter);
}

void flow_records_cancel(struct flow_pipeline *pipeline)
{
	for (size_t i = 0; i < SEARCHES_MAX; i++)
		search_free(pipeline->searches[i]);
}

/* Whether the question is about a time of which the store knows more than memory. */
static bool asks_the_store(const struct flow_pipeline *pipeline, const struct flow_filter *filter)
{
	return pipeline->store && (filter_since_ns(filter) || filter_until_ns(filter));
}

int flow_denied(struct flow_pipeline *pipeline, const struct flow_filter *filter, json_t **ret,
	struct error *error)
{
	int r;

	if (!asks_the_store(pipeline, filter)) {
		*ret = denied_to_json(pipeline->denied, filter);
		return *ret ? 0 : error_nomem(error);
	}
	r = flow_store_flush(pipeline->store, error);
	return r < 0 ? r : denied_of_store(pipeline->store, filter, ret, error);
}

int flow_map(struct flow_pipeline *pipeline, const struct flow_filter *filter, json_t **ret,
	struct error *error)
{
	int r;

	if (!asks_the_store(pipeline, filter)) {
		*ret = graph_of_map(pipeline->map, filter);
		return *ret ? 0 : error_nomem(error);
	}
	r = flow_store_flush(pipeline->store, error);
	return r < 0 ? r : graph_of_store(pipeline->store, filter, ret, error);
}

struct flow_storage flow_storage(const struct flow_pipeline *pipeline)
{
	return storage_look(pipeline->log, pipeline->store);
}

int flow_for_each_endpoint(const struct flow_pipeline *pipeline,
	void (*visit)(const struct flow_endpoint *endpoint, void *userdata), void *userdata)
{
	return endpoints_of_map(pipeline->map, visit, userdata);
}

/* {"new": {"allowed": n…}…} */
static json_t *told_to_json(const struct flow_pipeline *pipeline)
{
	json_t *json = json_object();

	for (enum flow_event_type type = 0; type < FLOW_GAP; type++) {
		json_t *verdicts = json_object();

		for (enum flow_verdict verdict = 0; verdict <= FLOW_AUDITED; verdict++)
			json_object_set_new(verdicts, flow_verdict_name(verdict),
				json_integer((json_int_t)pipeline->told[type][verdict]));
		json_object_set_new(json, flow_event_type_name(type), verdicts);
	}
	return json;
}

json_t *flow_describe(struct flow_pipeline *pipeline)
{
	return json_pack(
		"{s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:{s:I, s:I}, s:I, s:o, s:o, s:o?, s:o?}",
		"records", (json_int_t)pipeline->records, "told", told_to_json(pipeline), "events",
		(json_int_t)pipeline->events, "lost", (json_int_t)pipeline->lost, "invalid",
		(json_int_t)pipeline->invalid, "subscribers",
		(json_int_t)pipeline->subscribers.count, "subscribers_lost",
		(json_int_t)pipeline->subscribers_lost, "history", "records",
		(json_int_t)history_count(pipeline->history), "bytes",
		(json_int_t)history_bytes(pipeline->history), "names",
		(json_int_t)name_pool_count(pipeline->names), "map", map_describe(pipeline->map),
		"denied", denied_describe(pipeline->denied), "log",
		pipeline->log ? flow_log_describe(pipeline->log) : NULL, "store",
		pipeline->store ? flow_store_describe(pipeline->store) : NULL);
}

int flow_subscribe(struct flow_pipeline *pipeline, struct flow_filter *filter,
	void (*record)(const char *line, size_t length, void *userdata), void *userdata,
	struct flow_subscription **ret)
{
	return subscribers_add(&pipeline->subscribers, filter, record, userdata, ret);
}
