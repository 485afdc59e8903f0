// SPDX-License-Identifier: GPL-2.0-or-later
#include "api.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "detection.h"
#include "journal.h"
#include "json.h"

#include <errno.h>
#include <string.h>
#include <utlist.h>

struct filter_request {
	struct alert_filter *filter;
	struct error *error;
	int result;
};

static bool add_argument(const char *key, const char *value, void *userdata)
{
	struct filter_request *wanted = userdata;

	if (!strcmp(key, "follow"))
		return true;
	wanted->result = alert_filter_set(wanted->filter, key, value, wanted->error);
	return wanted->result >= 0;
}

/* false: the request is answered. */
static bool parse_filter(struct control_request *request, struct alert_filter *filter)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct filter_request wanted = {.filter = filter, .error = &error};

	control_query(request, add_argument, &wanted);
	if (wanted.result < 0)
		control_reply_error(request, 400, "%s", error_message(&error));
	return wanted.result >= 0;
}

/* --- following ----------------------------------------------------------------------------------
 */

struct follower {
	struct control_stream *stream;
	struct alert_follower *alerts;
};

static void on_line(const char *line, size_t length, void *userdata)
{
	struct follower *follower = userdata;

	control_stream_write(follower->stream, line, length);
}

static void on_closed(struct control_stream *stream, void *userdata)
{
	struct follower *follower = userdata;

	(void)stream;
	if (follower->alerts)
		alert_follower_free(follower->alerts);
	free(follower);
}

static void follow(
	struct control_request *request, struct agent *agent, struct alert_filter *filter)
{
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
	if (detection_follow(agent, filter, on_line, follower, &follower->alerts) < 0)
		journal(JOURNAL_ERROR, "follow alerts: out of memory");
}

/* --- answers ------------------------------------------------------------------------------------
 */

static void list(
	struct control_request *request, struct alerts *alerts, const struct alert_filter *filter)
{
	/* A mute may have ended since. */
	if (alerts->mutes.count)
		alerts_mute(alerts, clock_ns(CLOCK_REALTIME));
	control_reply(
		request, 200, json_pack("{s:o}", "alerts", alert_filter_list(filter, alerts)));
}

void api_alerts(struct control_request *request, void *userdata)
{
	struct agent *agent = userdata;
	const char *value = control_parameter(request, "follow");
	_cleanup_alert_filter_ struct alert_filter filter;

	alert_filter_init(&filter);
	if (!parse_filter(request, &filter))
		return;
	if (value && strcmp(value, "0") != 0)
		follow(request, agent, &filter);
	else
		list(request, engine_alerts(detection_engine(agent)), &filter);
}

void api_alert(struct control_request *request, void *userdata)
{
	const char *id = control_parameter(request, "id");
	struct alerts *alerts = engine_alerts(detection_engine(userdata));
	const struct alert *alert = alerts_find(alerts, id);
	json_t *story = NULL;

	if (!alert) {
		control_reply_error(request, 404, "there is no alert %s", id);
		return;
	}
	if (alert->incident)
		story = incident_to_json(&alerts->incidents, alert->incident, alerts->now_ns);
	control_reply(request, 200,
		json_pack("{s:o, s:o?}", "alert", alerts_one_to_json(alert), "incident", story));
}

void api_incidents(struct control_request *request, void *userdata)
{
	const struct alerts *alerts = engine_alerts(detection_engine(userdata));
	const struct incident *incident;
	json_t *incidents = json_array();

	DL_FOREACH (alerts->incidents.by_age, incident)
		json_array_append_new(
			incidents, incident_to_json(&alerts->incidents, incident, alerts->now_ns));
	control_reply(request, 200, json_pack("{s:o}", "incidents", incidents));
}

void api_incident(struct control_request *request, void *userdata)
{
	const char *id = control_parameter(request, "id");
	const struct alerts *alerts = engine_alerts(detection_engine(userdata));
	const struct incident *incident = incidents_find(&alerts->incidents, id);

	if (!incident)
		control_reply_error(request, 404, "there is no incident %s", id);
	else
		control_reply(request, 200,
			json_pack("{s:o}", "incident",
				incident_to_json(&alerts->incidents, incident, alerts->now_ns)));
}

void api_detectors(struct control_request *request, void *userdata)
{
	control_reply(request, 200, detection_describe(userdata));
}
