/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "api.h"

#include "base/cleanup.h"
#include "detection.h"
#include "flow/timestamp.h"
#include "journal.h"
#include "json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void flow_filter_freep(struct flow_filter **filter)
{
	flow_filter_free(*filter);
}

#define _cleanup_filter_ _cleanup_(flow_filter_freep)

struct filter_request {
	struct agent *agent;
	struct flow_filter *filter;
	uint64_t evidence_ns; /* when that of the alerts asked for begins; 0: none is */
	struct error *error;
	int result;
};

/* alert=ID: the records that an alert stands on, from the files of the log if need be. */
static int add_evidence(struct filter_request *wanted, const char *id)
{
	const struct alert *alert = alerts_find(engine_alerts(detection_engine(wanted->agent)), id);
	char text[TIMESTAMP_LENGTH + 1];
	int r;

	if (!alert)
		return error_set(wanted->error, -EINVAL, "there is no alert %s", id);
	/* Without evidence nothing matches, rather than everything. */
	r = flow_filter_set(&wanted->filter, "id", "0000000000000000", wanted->error);
	for (size_t i = 0; r == 0 && i < alert->evidence_count; i++) {
		snprintf(text, sizeof(text), "%016" PRIx64, alert->evidence[i]);
		r = flow_filter_set(&wanted->filter, "id", text, wanted->error);
	}
	if (!wanted->evidence_ns || alert->first_ns < wanted->evidence_ns)
		wanted->evidence_ns = alert->first_ns;
	return r;
}

static bool add_argument(const char *key, const char *value, void *userdata)
{
	struct filter_request *wanted = userdata;

	if (!strcmp(key, "follow"))
		return true;
	wanted->result = strcmp(key, "alert") != 0
				 ? flow_filter_set(&wanted->filter, key, value, wanted->error)
				 : add_evidence(wanted, value);
	return wanted->result >= 0;
}

/* false: the request is answered. */
static bool parse_filter(
	struct control_request *request, struct agent *agent, struct flow_filter **ret)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct filter_request wanted = {.agent = agent, .error = &error};
	char text[TIMESTAMP_LENGTH + 1];

	control_query(request, add_argument, &wanted);
	/* So that not all of the log is read; who says a time means it. */
	if (wanted.result >= 0 && wanted.evidence_ns && !control_parameter(request, "since"))
		wanted.result = flow_filter_set(&wanted.filter, "since",
			timestamp_format(wanted.evidence_ns, text), &error);
	if (wanted.result < 0) {
		flow_filter_free(wanted.filter);
		control_reply_error(request, 400, "%s", error_message(&error));
		return false;
	}
	*ret = wanted.filter;
	return true;
}

/* --- streams ------------------------------------------------------------------------------------
 */

struct follower {
	struct control_stream *stream;
	struct flow_subscription *subscription;
};

static void on_record(const char *line, size_t length, void *userdata)
{
	struct follower *follower = userdata;

	control_stream_write(follower->stream, line, length);
}

static void on_closed(struct control_stream *stream, void *userdata)
{
	struct follower *follower = userdata;

	(void)stream;
	if (follower->subscription)
		flow_subscription_free(follower->subscription);
	free(follower);
}

static void follow(struct control_request *request, struct agent *agent, struct flow_filter *filter)
{
	_cleanup_filter_ struct flow_filter *owned = filter;
	struct follower *follower = calloc(1, sizeof(*follower));

	if (!follower) {
		control_reply(request, 200, NULL);
		return;
	}
	follower->stream = control_stream(request, on_closed, follower);
	if (!follower->stream) {
		free(follower);
		return;
	}
	if (flow_subscribe(agent->flows, owned, on_record, follower, &follower->subscription) < 0)
		journal(JOURNAL_ERROR, "follow flows: out of memory");
	else
		owned = NULL;
}

/* --- answers ------------------------------------------------------------------------------------
 */

static bool wants_to_follow(const struct control_request *request)
{
	const char *value = control_parameter(request, "follow");

	return value && strcmp(value, "0");
}

/* Totals in an answer are exact up to this moment. */
static void collect(struct agent *agent)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	if (agent->plane_ops->collect(agent->plane, &error) < 0 ||
		host_collect(agent->host, &error) < 0 ||
		second_lock_collect(agent->lock, &error) < 0 ||
		xdp_collect(agent->early, &error) < 0)
		journal(JOURNAL_WARNING, "read counters: %s", error_message(&error));
}

static void answer_past(struct control_request *request, struct agent *agent,
	int (*query)(struct flow_pipeline *, const struct flow_filter *, json_t **, struct error *))
{
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_filter_ struct flow_filter *filter = NULL;
	json_t *json;

	if (control_parameter(request, "id") || control_parameter(request, "alert")) {
		control_reply_error(request, 400, "id and alert: single flows have one, not sums");
		return;
	}
	if (!parse_filter(request, agent, &filter))
		return;
	collect(agent);
	if (query(agent->flows, filter, &json, &error) < 0)
		control_reply_error(request, 503, "%s", error_message(&error));
	else
		control_reply(request, 200, api_quarantine_mark(agent, json));
}

static void on_records(json_t *answer, const struct error *error, void *userdata)
{
	struct control_request *request = userdata;

	if (error)
		control_reply_error(request, 503, "%s", error_message(error));
	else
		control_reply(request, 200, answer);
}

void api_flows(struct control_request *request, void *userdata)
{
	struct agent *agent = userdata;
	struct flow_filter *filter = NULL;

	if (!parse_filter(request, agent, &filter))
		return;
	if (wants_to_follow(request)) {
		follow(request, agent, filter);
		return;
	}
	collect(agent);
	flow_records(agent->flows, filter, on_records, request);
}

void api_denied(struct control_request *request, void *userdata)
{
	struct agent *agent = userdata;
	struct flow_filter *filter = NULL;

	if (!wants_to_follow(request)) {
		answer_past(request, agent, flow_denied);
		return;
	}
	if (!parse_filter(request, agent, &filter))
		return;
	if (flow_filter_set(&filter, "verdict", "denied", NULL) < 0) {
		flow_filter_free(filter);
		control_reply(request, 200, NULL);
		return;
	}
	follow(request, agent, filter);
}

void api_map(struct control_request *request, void *userdata)
{
	answer_past(request, userdata, flow_map);
}
