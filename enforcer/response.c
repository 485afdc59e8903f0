// SPDX-License-Identifier: GPL-2.0-or-later
#include "response.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "capturing.h"
#include "journal.h"
#include "json.h"
#include "policies/quarantine.h"
#include "quarantine.h"

#include <errno.h>
#include <string.h>

#define PENDING_MAX      64
#define NEGLIGIBLE_NS    (60 * NS_PER_SECOND)
#define CAPTURES_MAX_OWN 4 /* at once; people have the others (capture/capture.h) */
#define CAPTURE_BYTES    (16ULL << 20)

struct pending {
	char alert[ALERT_ID_LENGTH + 1];
	uint64_t duration_ns; /* of its quarantine; 0: none */
	bool capture;
	uint64_t raised_ns; /* CLOCK_MONOTONIC */
};

/* A capture that runs. */
struct recorded {
	char *actor;
	uint64_t until_ns; /* CLOCK_MONOTONIC */
};

struct response {
	struct agent *agent;
	const struct detect_settings *settings;
	struct alerts *alerts;
	sd_event_source *source;
	struct pending pending[PENDING_MAX];
	size_t pending_count;
	struct recorded recorded[CAPTURES_MAX_OWN];
	uint64_t captures;
	uint64_t captures_failed;
	uint64_t isolated;
	uint64_t failed;
	uint64_t turned_away; /* more alerts at once than can be pending */
};

/* 0: none is wanted. */
static uint64_t wanted_duration_ns(const struct response *response, const struct alert *alert)
{
	if (alert->severity < response->settings->quarantine_severity)
		return 0;
	for (size_t i = 0; i < response->settings->detectors_count; i++)
		if (!strcmp(detectors[i]->name, alert->detector))
			return response->settings->detectors[i].quarantine_ns;
	return 0;
}

void response_consider(struct response *response, const struct alert *alert)
{
	uint64_t duration_ns = wanted_duration_ns(response, alert);
	bool capture = response->settings->capture_ns &&
		       alert->severity >= response->settings->capture_severity;
	struct pending *pending;

	if ((!duration_ns && !capture) || !name_workload(alert->actor.name))
		return;
	if (response->pending_count == PENDING_MAX) {
		response->turned_away++;
		return;
	}
	pending = &response->pending[response->pending_count++];
	*pending = (struct pending){
		.duration_ns = duration_ns,
		.capture = capture,
		.raised_ns = clock_ns(CLOCK_MONOTONIC),
	};
	memcpy(pending->alert, alert->id, sizeof(pending->alert));
	sd_event_source_set_enabled(response->source, SD_EVENT_ONESHOT);
}

/* "alert 0123456789ab: …" as a quarantine's reason can say it. */
static void make_reason(const struct alert *alert, char reason[static QUARANTINE_REASON_MAX + 1])
{
	snprintf(reason, QUARANTINE_REASON_MAX + 1, "alert %s: %s", alert->id, alert->sentence);
	utf8_trim(reason);
	for (char *c = reason; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
}

/* alert: NULL: it is no longer kept. */
static void note(struct alert *alert, const char *key, json_t *value)
{
	if (alert && !alert->response)
		alert->response = json_object();
	json_object_set_new(alert ? alert->response : NULL, key, value);
}

/* Until about then, so that many alerts about one intruder are one quarantine. */
static bool is_isolated_already(
	const struct response *response, const struct alert *alert, uint64_t duration_ns)
{
	const struct quarantine *there = quarantine_list_find(quarantines_list(response->agent),
		name_namespace(alert->actor.name), name_workload(alert->actor.name));

	return there && there->origin == QUARANTINE_DETECTOR && there->until_ns &&
	       there->until_ns + NEGLIGIBLE_NS >= clock_ns(CLOCK_REALTIME) + duration_ns;
}

/* How long it takes until the data plane refuses its packets. What comes behind, dropping them
 * earlier still, may wait for the machine. */
static uint64_t until_refused_ns(const struct laps *laps)
{
	uint64_t sum_ns = 0;

	for (size_t i = 0; i < laps->count; i++)
		if (strcmp(laps->items[i].name, "names") != 0)
			sum_ns += laps->items[i].ns;
	return sum_ns;
}

/* Records that come meanwhile may be more alerts, for which this one makes room: NULL then. */
static struct alert *isolate(
	struct response *response, struct alert *alert, const struct pending *pending)
{
	_cleanup_(name_releasep) struct name *actor = name_reference(alert->actor.name);
	char reason[QUARANTINE_REASON_MAX + 1], id[NAME_ID_MAX];
	const struct quarantine_request request = {
		.namespace = name_namespace(actor),
		.name = name_workload(actor),
		.reason = reason,
		.allow = response->settings->allow,
		.duration_ns = pending->duration_ns,
		.origin = QUARANTINE_DETECTOR,
		.user = "segd",
	};
	_cleanup_error_ struct error error = ERROR_INIT;
	double milliseconds;
	uint64_t waited_ns;
	int r;

	make_reason(alert, reason);
	waited_ns = clock_ns(CLOCK_MONOTONIC) - pending->raised_ns;
	r = quarantine_add(response->agent, &request, &error);
	alert = alerts_find(response->alerts, pending->alert);
	if (r < 0 && r != -ESTALE) {
		response->failed++;
		note(alert, "quarantine", json_sprintf("refused: %s", error_message(&error)));
		journal(JOURNAL_WARNING, "alert %s: isolate %s: %s", pending->alert,
			name_id(actor, id), error_message(&error));
		return alert;
	}
	response->isolated++;
	milliseconds = (double)(waited_ns + until_refused_ns(&response->agent->laps)) / 1e6;
	note(alert, "quarantine",
		json_sprintf("isolated for %llu s",
			(unsigned long long)(pending->duration_ns / NS_PER_SECOND)));
	note(alert, "milliseconds", json_real(milliseconds));
	journal(JOURNAL_NOTICE, "alert %s: %s was isolated %.1f ms after it", pending->alert,
		name_id(actor, id), milliseconds);
	if (r == -ESTALE)
		journal(JOURNAL_ERROR, "%s", error_message(&error));
	return alert;
}

/* --- recording ----------------------------------------------------------------------------------
 */

/* A place for another capture of the actor; NULL: one runs already, or as many as may. */
static struct recorded *find_place(struct response *response, const char *actor, bool *ret_runs)
{
	uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
	struct recorded *place = NULL;

	*ret_runs = false;
	for (size_t i = 0; i < CAPTURES_MAX_OWN; i++) {
		struct recorded *recorded = &response->recorded[i];

		if (!recorded->actor || recorded->until_ns <= now_ns)
			place = recorded;
		else if (!strcmp(recorded->actor, actor))
			*ret_runs = true;
	}
	return *ret_runs ? NULL : place;
}

static void record_packets(struct response *response, struct alert *alert)
{
	uint64_t duration_ns = response->settings->capture_ns;
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_free_ char *path = NULL;
	struct recorded *place;
	bool runs;
	int r;

	place = find_place(response, alert->actor.id, &runs);
	if (runs)
		return;
	r = place ? capturing_start(response->agent, alert->actor.id,
			    (unsigned int)(duration_ns / NS_PER_SECOND), CAPTURE_BYTES, &path,
			    &error)
		  : error_set(
			    &error, -EBUSY, "%d captures run because of alerts", CAPTURES_MAX_OWN);
	if (r < 0) {
		response->captures_failed++;
		note(alert, "capture", json_sprintf("failed: %s", error_message(&error)));
		return;
	}
	response->captures++;
	free(place->actor);
	place->actor = strdup(alert->actor.id);
	place->until_ns = clock_ns(CLOCK_MONOTONIC) + duration_ns;
	note(alert, "capture", json_string(path));
}

/* Isolates first: to look at what is refused is early enough. */
static void respond(struct response *response, struct alert *alert, const struct pending *pending)
{
	if (pending->duration_ns && is_isolated_already(response, alert, pending->duration_ns))
		note(alert, "quarantine", json_string("isolated already"));
	else if (pending->duration_ns)
		alert = isolate(response, alert, pending);
	if (alert && pending->capture)
		record_packets(response, alert);
	response->alerts->changes++;
}

static int on_pending(sd_event_source *source, void *userdata)
{
	struct response *response = userdata;
	struct pending pending[PENDING_MAX];
	size_t count = response->pending_count;

	(void)source;
	memcpy(pending, response->pending, count * sizeof(pending[0]));
	/* To isolate may bring records, and they more alerts: for the next time. */
	response->pending_count = 0;
	for (size_t i = 0; i < count; i++) {
		struct alert *alert = alerts_find(response->alerts, pending[i].alert);

		if (!alert)
			continue;
		respond(response, alert, &pending[i]);
	}
	return 0;
}

int response_new(struct agent *agent, const struct detect_settings *settings, struct alerts *alerts,
	struct response **ret, struct error *error)
{
	_cleanup_(response_freep) struct response *response = calloc(1, sizeof(*response));
	int r;

	if (!response)
		return error_nomem(error);
	response->agent = agent;
	response->settings = settings;
	response->alerts = alerts;
	r = sd_event_add_defer(agent->event, &response->source, on_pending, response);
	if (r >= 0)
		r = sd_event_source_set_enabled(response->source, SD_EVENT_OFF);
	/* An intruder is quicker than whoever else waits for the agent. */
	if (r >= 0)
		r = sd_event_source_set_priority(response->source, SD_EVENT_PRIORITY_IMPORTANT);
	if (r < 0)
		return error_errno(error, r, "prepare to answer alerts");
	*ret = TAKE_PTR(response);
	return 0;
}

void response_free(struct response *response)
{
	if (!response)
		return;
	sd_event_source_disable_unref(response->source);
	for (size_t i = 0; i < CAPTURES_MAX_OWN; i++)
		free(response->recorded[i].actor);
	free(response);
}

json_t *response_describe(const struct response *response)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "isolated", (json_int_t)response->isolated,
		"failed", (json_int_t)response->failed, "turned_away",
		(json_int_t)response->turned_away, "captures", (json_int_t)response->captures,
		"captures_failed", (json_int_t)response->captures_failed);
}
