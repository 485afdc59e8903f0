// SPDX-License-Identifier: GPL-2.0-or-later
#include "detection.h"

#include "base/cleanup.h"
#include "journal.h"
#include "json.h"

#include <errno.h>
#include <string.h>
#include <utlist.h>

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
	struct alert_follower *followers;
};

DEFINE_CLEANUP(struct detection *, detection_free)

struct engine *detection_engine(const struct agent *agent)
{
	return agent->detection->engine;
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
	engine_record(userdata, record);
}

void detection_changed(struct agent *agent)
{
	(void)agent;
}

json_t *detection_describe(const struct agent *agent)
{
	return engine_describe(agent->detection->engine);
}

int detection_open(struct agent *agent, struct error *error)
{
	_cleanup_(detection_freep) struct detection *detection = calloc(1, sizeof(*detection));
	struct engine_options options = {.told = on_told, .userdata = detection};
	int r;

	if (!detection || detect_settings_init(&detection->settings) < 0)
		return error_nomem(error);
	detection->agent = agent;
	options.settings = &detection->settings;
	r = engine_new(&options, &detection->engine, error);
	if (r < 0)
		return r;
	flow_pipeline_observe(agent->flows, on_record, detection->engine);
	agent->detection = TAKE_PTR(detection);
	return 0;
}

void detection_free(struct detection *detection)
{
	if (!detection)
		return;
	if (detection->agent)
		flow_pipeline_observe(detection->agent->flows, NULL, NULL);
	engine_free(detection->engine);
	detect_settings_clear(&detection->settings);
	free(detection);
}
