/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From data plane events to records that a person understands: names and labels are put to
 * addresses and rules to ids, then a record goes to the flow log (files), the history (the last
 * records, in memory), the connection map, the table of refusals, and whoever follows.
 *
 * Names are resolved when the event arrives: a record keeps the names of its time.
 */
#pragma once

#include "base/error.h"
#include "flow/event.h"
#include "flow/flow_filter.h"
#include "flow/observation.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct flow_pipeline;
struct record;

/* What the pipeline asks of the agent. */
struct flow_resolver {
	/* {"workload": …, "namespace": …, "labels": {…}} or {"entity": "host"|"world"}: the part of
	 * an endpoint that is not in the packet. New reference; NULL: out of memory. */
	json_t *(*endpoint)(const struct address *address, void *userdata);
	/* {"tier","kind","namespace","name","index"[, "text"]} for a rule id, JSON null for an id
	 * that is not known. text: as by ir_rule_format(). New reference. */
	json_t *(*rule)(uint32_t id, void *userdata);
	/* Name of an interface; NULL: unknown. */
	const char *(*interface)(uint32_t ifindex, void *userdata);
	/* end, which is who has address, with what workload calls it where it began a connection at
	 * start_ns. New reference; NULL: it has no name for it. May be NULL. */
	struct name *(*named)(const struct name *workload, const struct address *address,
		struct name *end, uint64_t start_ns, void *userdata);
	/* What the packets of the event's connection said: fills ret, with references. May be NULL.
	 */
	void (*observed)(const struct flow_event *event, struct name_pool *pool,
		struct flow_observation *ret, void *userdata);
	void *userdata;
};

struct flow_options {
	const char *node;          /* name of this node in records */
	const char *log_directory; /* NULL: no flow log */
	uint64_t log_file_bytes;   /* rotate at this size; 0: 64 MiB */
	uint64_t log_total_bytes;  /* oldest files go beyond it; 0: 1 GiB */
	uint64_t log_file_ns;      /* rotate a file of this age; 0: 24 hours */
	size_t history_records;    /* kept in memory; 0: 8192 */
	const char *store_path;    /* NULL: no flow store */
	uint64_t store_bytes;      /* 0: 1 GiB */
	uint64_t store_ns;         /* how long it remembers; 0: 90 days */
};

int flow_pipeline_new(const struct flow_options *options, const struct flow_resolver *resolver,
	sd_event *event, struct flow_pipeline **ret, struct error *error);
void flow_pipeline_free(struct flow_pipeline *pipeline);

/* Never fails and never blocks: what cannot be kept is counted and reported as a gap record. */
void flow_pipeline_event(struct flow_pipeline *pipeline, const struct flow_event *event);

/* Calls observer with each record that goes into the flow log, and with no other; NULL: with none.
 * Its names are the pipeline's: references to them end before it does. */
void flow_pipeline_observe(struct flow_pipeline *pipeline,
	void (*observer)(const struct record *record, void *userdata), void *userdata);

/* Who has an address, as records say it. New reference; NULL: nothing is known. */
struct name *flow_pipeline_endpoint(struct flow_pipeline *pipeline, const struct address *address);

/* The resolver's answers may be others than before (workloads, labels, rules, interfaces): they are
 * asked for anew. Records of the past keep their names. */
void flow_pipeline_names_changed(struct flow_pipeline *pipeline);

/* Writes out what is buffered. 0 or the log's last error. */
int flow_pipeline_flush(struct flow_pipeline *pipeline, struct error *error);

/* The record that this event would become, if the filter (NULL: all) matches it: a new reference in
 * *ret, and 1; 0: it does not match. The event is not taken in. -ENOMEM. */
int flow_record(struct flow_pipeline *pipeline, const struct flow_event *event,
	const struct flow_filter *filter, json_t **ret);
/* Newest last: {"flows": […], "gaps": n}, of the records in memory. New reference. */
json_t *flow_history(struct flow_pipeline *pipeline, const struct flow_filter *filter);
/*
 * The same, and where memory does not reach back to the filter's since, of the flow log's files.
 * Takes filter. done is called once, perhaps before the return, with an answer that it owns or with
 * NULL and the error.
 */
void flow_records(struct flow_pipeline *pipeline, struct flow_filter *filter,
	void (*done)(json_t *answer, const struct error *error, void *userdata), void *userdata);
/* Ends what flow_records() has under way, with -ECANCELED. */
void flow_records_cancel(struct flow_pipeline *pipeline);
/* {"denied": [{source, destination, protocol, port, reason, direction, rule, packets, bytes, start,
 * end}]}, most packets first: refusals, aggregated. A filter with since or until asks the store,
 * where there is one, for just that time; else they are those since the agent started. Failures as
 * flow_store_for_each(). */
int flow_denied(struct flow_pipeline *pipeline, const struct flow_filter *filter, json_t **ret,
	struct error *error);
/* {"nodes": [{id, workload, namespace, labels, entity}], "edges": [{from, to, protocol, port,
 * verdict, rule, connections, active, packets: [n, n], bytes: [n, n], start, end}]}. Time and
 * failures as for flow_denied(). */
int flow_map(struct flow_pipeline *pipeline, const struct flow_filter *filter, json_t **ret,
	struct error *error);
/* How it is with what is written: why the last attempt failed, and what there was no room for. */
struct flow_storage {
	char *log_error; /* owned; NULL: none, as below */
	char *store_error;
	char *set_aside; /* path of a store that was damaged */
	uint64_t log_lost;
	uint64_t store_turned_away;
};
struct flow_storage flow_storage(const struct flow_pipeline *pipeline);
void flow_storage_clear(struct flow_storage *storage);

/* A workload in the connection map. */
struct flow_endpoint {
	const char *namespace;
	const char *workload;
	uint64_t active[DIRECTION_COUNT]; /* connections: from it (egress), to it (ingress) */
	uint64_t packets[DIRECTION_COUNT][FLOW_AUDITED + 1]; /* of those, by verdict, both ways */
	uint64_t bytes[DIRECTION_COUNT][FLOW_AUDITED + 1];
};
/* Visits each, by namespace and name. -ENOMEM: not all, or none. */
int flow_for_each_endpoint(const struct flow_pipeline *pipeline,
	void (*visit)(const struct flow_endpoint *endpoint, void *userdata), void *userdata);

/* {"records", "told": {"new": {"allowed": n, …}, …}, "events", "lost", "subscribers_lost",
 * "log": as flow_log_describe(), "store": as flow_store_describe(), …} */
json_t *flow_describe(struct flow_pipeline *pipeline);

/* Calls back with each new record that matches (takes filter when it succeeds, NULL: all) until the
 * subscription is freed, which must be before the pipeline is. The callback may free it. line: the
 * record as one JSON line with its newline. */
struct flow_subscription;
int flow_subscribe(struct flow_pipeline *pipeline, struct flow_filter *filter,
	void (*record)(const char *line, size_t length, void *userdata), void *userdata,
	struct flow_subscription **ret);
void flow_subscription_free(struct flow_subscription *subscription);
