// SPDX-License-Identifier: GPL-2.0-or-later
#include "detection.h"

#include "alert_outputs.h"
#include "backlog.h"
#include "base/cleanup.h"
#include "detection_state.h"
#include "journal.h"
#include "json.h"
#include "response.h"

#include <errno.h>
#include <string.h>
#include <utlist.h>

#define SETTINGS_DEFAULT "/etc/segd/detect.yaml"
/* Alerts are saved a second after one that is new, what was learnt less often; both a second after
 * a person has changed something. */
#define SAVE_ALERTS_USEC 1000000ULL
#define SAVE_LEARNT_USEC (600 * 1000000ULL)

struct alert_follower {
	struct detection *detection;
	struct alert_filter filter;
	void (*line)(const char *line, size_t length, void *userdata);
	void *userdata;
	struct alert_follower *prev, *next;
};

struct detection {
	struct agent *agent;
	struct detect_settings settings;
	struct engine *engine;
	struct backlog *backlog;
	struct detection_state state;
	struct alert_outputs *outputs;
	struct response *response;
	struct alert_follower *followers;
	uint64_t saved_changes;
	sd_event_source *save_alerts;
	sd_event_source *save_learnt;
	bool learnt_soon; /* sooner than it would be by itself */
};

DEFINE_CLEANUP(struct detection *, detection_free)

struct engine *detection_engine(const struct agent *agent)
{
	backlog_settle(agent->detection->backlog);
	return agent->detection->engine;
}

/* --- keeping ------------------------------------------------------------------------------------
 */

static void save_alerts(struct detection *detection)
{
	const struct alerts *alerts = engine_alerts(detection->engine);
	_cleanup_error_ struct error error = ERROR_INIT;

	if (alerts->changes == detection->saved_changes)
		return;
	if (detection_state_save_alerts(&detection->state, alerts, &error) < 0)
		journal(JOURNAL_WARNING, "save alerts: %s", error_message(&error));
	else
		detection->saved_changes = alerts->changes;
}

static void save_learnt(struct detection *detection)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	if (detection_state_save_learnt(&detection->state, detection->engine, &error) < 0)
		journal(JOURNAL_WARNING, "save what was learnt: %s", error_message(&error));
}

static int on_save_alerts(sd_event_source *source, uint64_t time_us, void *userdata)
{
	struct detection *detection = userdata;

	(void)time_us;
	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	save_alerts(detection);
	return 0;
}

static int on_save_learnt(sd_event_source *source, uint64_t time_us, void *userdata)
{
	struct detection *detection = userdata;

	(void)time_us;
	detection->learnt_soon = false;
	save_alerts(detection);
	save_learnt(detection);
	sd_event_source_set_time_relative(source, SAVE_LEARNT_USEC);
	sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

static void save_soon(struct detection *detection)
{
	int enabled = SD_EVENT_OFF;

	sd_event_source_get_enabled(detection->save_alerts, &enabled);
	if (enabled != SD_EVENT_OFF)
		return;
	sd_event_source_set_time_relative(detection->save_alerts, SAVE_ALERTS_USEC);
	sd_event_source_set_enabled(detection->save_alerts, SD_EVENT_ONESHOT);
}

void detection_changed(struct agent *agent)
{
	struct detection *detection = agent->detection;

	if (detection->learnt_soon)
		return;
	detection->learnt_soon = true;
	sd_event_source_set_time_relative(detection->save_learnt, SAVE_ALERTS_USEC);
	sd_event_source_set_enabled(detection->save_learnt, SD_EVENT_ONESHOT);
}

static void on_damaged(const char *message, void *userdata)
{
	(void)userdata;
	journal(JOURNAL_WARNING, "%s", message);
}

static int open_state(struct detection *detection, struct error *error)
{
	sd_event *event = detection->agent->event;
	int r = sd_event_add_time_relative(event, &detection->save_alerts, CLOCK_MONOTONIC,
		SAVE_ALERTS_USEC, 0, on_save_alerts, detection);

	if (r >= 0)
		r = sd_event_add_time_relative(event, &detection->save_learnt, CLOCK_MONOTONIC,
			SAVE_LEARNT_USEC, 0, on_save_learnt, detection);
	if (r < 0)
		return error_errno(error, r, "wait for when to save alerts");
	sd_event_source_set_enabled(detection->save_alerts, SD_EVENT_OFF);
	detection->state.directory = detection->agent->options->state_directory;
	detection_state_load(&detection->state, detection->engine, on_damaged, NULL);
	detection->saved_changes = engine_alerts(detection->engine)->changes;
	return 0;
}

/* --- telling ------------------------------------------------------------------------------------
 */

static const char *const news_names[] = {
	[ALERT_RAISED] = "raised",
	[ALERT_WORSE] = "worse",
	[ALERT_GOES_ON] = "goes_on",
};

/* One line for all who are told. NULL: out of memory. */
static char *line_of(const struct alert *alert, enum alert_news news)
{
	_cleanup_json_ json_t *json = json_pack("{s:s}", "news", news_names[news]);
	_cleanup_json_ json_t *rest = alerts_one_to_json(alert);
	_cleanup_free_ char *text = NULL;
	char *line;

	if (!json || json_object_update(json, rest) < 0)
		return NULL;
	text = json_dumps(json, JSON_COMPACT);
	return text && asprintf(&line, "%s\n", text) >= 0 ? line : NULL;
}

static void on_told(const struct alert *alert, enum alert_news news, void *userdata)
{
	struct detection *detection = userdata;
	_cleanup_free_ char *line = line_of(alert, news);
	struct alert_follower *follower, *next;

	DL_FOREACH_SAFE (detection->followers, follower, next)
		if (line && alert_filter_matches(&follower->filter, alert))
			follower->line(line, strlen(line), follower->userdata);
	if (line)
		alert_outputs_tell(detection->outputs, alert, news, line);
	if (news == ALERT_GOES_ON)
		return;
	response_consider(detection->response, alert);
	save_soon(detection);
}

int detection_follow(struct agent *agent, struct alert_filter *filter,
	void (*line)(const char *line, size_t length, void *userdata), void *userdata,
	struct alert_follower **ret)
{
	struct alert_follower *follower = calloc(1, sizeof(*follower));

	if (!follower)
		return -ENOMEM;
	*follower = (struct alert_follower){
		.detection = agent->detection,
		.filter = *filter,
		.line = line,
		.userdata = userdata,
	};
	alert_filter_init(filter);
	DL_APPEND(agent->detection->followers, follower);
	*ret = follower;
	return 0;
}

void alert_follower_free(struct alert_follower *follower)
{
	DL_DELETE(follower->detection->followers, follower);
	alert_filter_clear(&follower->filter);
	free(follower);
}

/* --- life ---------------------------------------------------------------------------------------
 */

static void on_record(const struct record *record, void *userdata)
{
	backlog_add(userdata, record);
}

json_t *detection_describe(const struct agent *agent)
{
	const struct detection *detection = agent->detection;
	json_t *json = engine_describe(detection_engine(agent));

	if (json) {
		json_object_set_new(json, "outputs", alert_outputs_describe(detection->outputs));
		json_object_set_new(json, "response", response_describe(detection->response));
	}
	return json;
}

/* The default file need not be there. */
static int load_settings(struct detection *detection, struct error *error)
{
	const char *path = detection->agent->options->detect_settings;

	if (!path && access(SETTINGS_DEFAULT, F_OK) == 0)
		path = SETTINGS_DEFAULT;
	if (path)
		return detect_settings_load(&detection->settings, path, error);
	return detect_settings_init(&detection->settings) < 0 ? error_nomem(error) : 0;
}

int detection_open(struct agent *agent, struct error *error)
{
	_cleanup_(detection_freep) struct detection *detection = calloc(1, sizeof(*detection));
	struct engine_options options = {.told = on_told, .userdata = detection};
	int r;

	if (!detection)
		return error_nomem(error);
	detection->agent = agent;
	options.settings = &detection->settings;
	r = load_settings(detection, error);
	if (r < 0)
		return r;
	r = engine_new(&options, &detection->engine, error);
	if (r == 0)
		r = alert_outputs_new(agent->options, &detection->settings, agent->event,
			&detection->outputs, error);
	if (r == 0)
		r = response_new(agent, &detection->settings, engine_alerts(detection->engine),
			&detection->response, error);
	if (r == 0)
		r = backlog_new(agent->event, detection->engine, &detection->backlog, error);
	if (r == 0)
		r = open_state(detection, error);
	if (r < 0)
		return r;
	flow_pipeline_observe(agent->flows, on_record, detection->backlog);
	agent->detection = TAKE_PTR(detection);
	return 0;
}

void detection_free(struct detection *detection)
{
	if (!detection)
		return;
	flow_pipeline_observe(detection->agent->flows, NULL, NULL);
	backlog_free(detection->backlog);
	/* One that never ran must not overwrite what another knew. */
	if (detection->save_learnt) {
		save_alerts(detection);
		save_learnt(detection);
	}
	sd_event_source_disable_unref(detection->save_alerts);
	sd_event_source_disable_unref(detection->save_learnt);
	response_free(detection->response);
	alert_outputs_free(detection->outputs);
	engine_free(detection->engine);
	detect_settings_clear(&detection->settings);
	free(detection);
}
