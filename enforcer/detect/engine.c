// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/engine.h"

#include "base/cleanup.h"
#include "detect/newness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define ALERTS_MAX    2048
#define INCIDENTS_MAX 512
#define ROLES_MAX     16384
#define EDGES_MAX     65536
#define HELD_MAX      8192

struct engine {
	const struct detect_settings *settings;
	struct detector **open; /* as detectors[]; NULL: not enabled */
	struct detect_context context;
	struct newness newness;
	struct alerts alerts;
	struct baseline *baseline;
	uint64_t records;
	uint64_t (*raised)[SEVERITY_COUNT]; /* by detector; muted ones too */
};

/* --- what detectors ask -------------------------------------------------------------------------
 */

static bool is_actor(const struct alert *alert, const struct record *record)
{
	char source[PARTY_ID_MAX];

	return !strcmp(alert->actor.id, party_id(record->source, &record->event.source, source));
}

static void count(struct engine *engine, const struct alert *alert)
{
	for (size_t i = 0; i < engine->settings->detectors_count; i++)
		if (!strcmp(detectors[i]->name, alert->detector))
			engine->raised[i][alert->severity]++;
}

static void on_report(const struct finding *finding, const struct record *record, void *userdata)
{
	struct engine *engine = userdata;
	struct alert *alert = alerts_report(&engine->alerts, finding);

	if (alert && alert->reports == 1)
		count(engine, alert);
	if (!alert || !is_actor(alert, record))
		return;
	if (alert->reports == 1)
		baseline_retract(engine->baseline, record, alert->first_ns);
	if (!alert->acknowledged_by)
		baseline_hold(engine->baseline, record, alert->id);
	newness_look(&engine->newness, engine->newness.record);
}

static unsigned int on_edge_days(const struct record *record, void *userdata)
{
	const struct engine *engine = userdata;

	return baseline_edge_days(engine->baseline, record);
}

static bool on_has_learnt(const struct record *record, void *userdata)
{
	const struct engine *engine = userdata;

	return baseline_has_learnt(engine->baseline, record);
}

/* --- life ---------------------------------------------------------------------------------------
 */

static int open_detectors(struct engine *engine, struct error *error)
{
	for (size_t i = 0; i < engine->settings->detectors_count; i++) {
		const struct detector_settings *settings = &engine->settings->detectors[i];
		int r;

		if (!settings->enabled)
			continue;
		r = detectors[i]->open(settings->parameters, &engine->context, &engine->open[i]);
		if (r < 0)
			return error_errno(error, r, "open detector %s", detectors[i]->name);
	}
	return 0;
}

static int make_parts(
	struct engine *engine, const struct engine_options *options, struct error *error)
{
	const struct alerts_options alerts = {
		.alerts_max = ALERTS_MAX,
		.incidents_max = INCIDENTS_MAX,
		.quiet_ns = options->settings->quiet_ns,
		.campaign_ns = options->settings->campaign_ns,
		.told = options->told,
		.userdata = options->userdata,
	};
	const struct baseline_options baseline = {
		.roles_max = ROLES_MAX,
		.edges_max = EDGES_MAX,
		.held_max = HELD_MAX,
		.learning_ns = options->settings->learning_ns,
	};

	engine->settings = options->settings;
	engine->context = (struct detect_context){
		.report = on_report,
		.edge_days = on_edge_days,
		.has_learnt = on_has_learnt,
		.newness = &engine->newness,
		.userdata = engine,
	};
	alerts_init(&engine->alerts, &alerts);
	engine->open = calloc(engine->settings->detectors_count + 1, sizeof(struct detector *));
	engine->raised = calloc(engine->settings->detectors_count + 1, sizeof(*engine->raised));
	if (!engine->open || !engine->raised || baseline_new(&baseline, &engine->baseline) < 0 ||
		newness_open(&engine->newness, &engine->context) < 0)
		return error_nomem(error);
	return open_detectors(engine, error);
}

int engine_new(const struct engine_options *options, struct engine **ret, struct error *error)
{
	_cleanup_(engine_freep) struct engine *engine = calloc(1, sizeof(*engine));
	int r;

	if (!engine)
		return error_nomem(error);
	r = make_parts(engine, options, error);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(engine);
	return 0;
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	for (size_t i = 0; engine->open && i < engine->settings->detectors_count; i++)
		if (engine->open[i])
			detectors[i]->close(engine->open[i]);
	free(engine->open);
	free(engine->raised);
	alerts_clear(&engine->alerts);
	baseline_free(engine->baseline);
	newness_close(&engine->newness);
	free(engine);
}

struct alerts *engine_alerts(struct engine *engine)
{
	return &engine->alerts;
}

struct baseline *engine_baseline(struct engine *engine)
{
	return engine->baseline;
}

/* --- records ------------------------------------------------------------------------------------
 */

static uint64_t whole_microseconds(uint64_t time_ns)
{
	return time_ns / 1000 * 1000;
}

/* What the flow log keeps of it: nothing that an offline run cannot know may decide. */
static struct record as_logged(const struct record *record)
{
	struct record logged = *record;
	struct flow_event *event = &logged.event;

	event->time_ns = whole_microseconds(event->time_ns);
	event->start_ns = whole_microseconds(event->start_ns);
	event->end_ns = whole_microseconds(event->end_ns);
	event->rule = event->other_rule = event->ifindex = 0;
	return logged;
}

static void learn(struct engine *engine, const struct record *record)
{
	char source[PARTY_ID_MAX];
	bool suspect = baseline_is_new(engine->baseline, record) &&
		       alerts_suspect(&engine->alerts,
			       party_id(record->source, &record->event.source, source));

	baseline_learn(engine->baseline, record, suspect);
}

void engine_record(struct engine *engine, const struct record *record)
{
	const struct record logged = as_logged(record);

	/* What a quarantine refuses is known: who is locked in cannot be found once more. */
	if (record->event.type == FLOW_GAP || record->event.reason == REASON_QUARANTINED)
		return;
	engine->records++;
	alerts_pass(&engine->alerts, logged.event.time_ns);
	baseline_look(engine->baseline, &logged);
	newness_look(&engine->newness, &logged);
	for (size_t i = 0; i < engine->settings->detectors_count; i++)
		if (engine->open[i])
			detectors[i]->record(engine->open[i], &logged);
	/* After the detectors, who ask whether it is new. */
	learn(engine, &logged);
	baseline_look(engine->baseline, NULL);
	newness_look(&engine->newness, NULL);
}

int engine_json(struct engine *engine, const json_t *json)
{
	struct record record;
	int r = record_from_json(json, &record);

	if (r < 0)
		return r;
	engine_record(engine, &record);
	record_clear(&record);
	return 0;
}

/* --- telling and keeping ------------------------------------------------------------------------
 */

static json_t *parameters_to_json(const struct detector_ops *ops, const double *values)
{
	json_t *json = json_array();

	for (size_t i = 0; ops->parameters && ops->parameters[i].name; i++) {
		const struct detector_parameter *parameter = &ops->parameters[i];

		json_array_append_new(
			json, json_pack("{s:s, s:f, s:f, s:f, s:f, s:s}", "name", parameter->name,
				      "value", values[i], "default", parameter->value, "minimum",
				      parameter->minimum, "maximum", parameter->maximum, "help",
				      parameter->help));
	}
	return json;
}

static json_t *raised_to_json(const uint64_t raised[static SEVERITY_COUNT])
{
	json_t *json = json_object();

	for (size_t i = 0; i < SEVERITY_COUNT; i++)
		json_object_set_new(
			json, severity_name((enum severity)i), json_integer((json_int_t)raised[i]));
	return json;
}

static json_t *detectors_to_json(const struct engine *engine)
{
	json_t *json = json_array();

	for (size_t i = 0; i < engine->settings->detectors_count; i++) {
		const struct detector_ops *ops = detectors[i];
		const struct detector_settings *settings = &engine->settings->detectors[i];

		json_array_append_new(
			json, json_pack("{s:s, s:s, s:s, s:b, s:I, s:o, s:o, s:o?}", "name",
				      ops->name, "summary", ops->summary, "method", ops->method,
				      "enabled", settings->enabled, "quarantine_seconds",
				      (json_int_t)(settings->quarantine_ns / 1000000000),
				      "parameters", parameters_to_json(ops, settings->parameters),
				      "raised", raised_to_json(engine->raised[i]), "state",
				      engine->open[i] ? ops->describe(engine->open[i]) : NULL));
	}
	return json;
}

static json_int_t open_incidents(const struct alerts *alerts)
{
	const struct incident *incident;
	json_int_t open = 0;

	DL_FOREACH (alerts->incidents.by_age, incident)
		open += incident_is_open(&alerts->incidents, incident, alerts->now_ns);
	return open;
}

json_t *engine_describe(const struct engine *engine)
{
	const struct alerts *alerts = &engine->alerts;

	return json_pack(
		"{s:I, s:{s:I, s:i, s:I, s:I, s:I, s:i}, s:{s:I, s:I, s:i, s:I, s:I}, s:o, s:o}",
		"records", (json_int_t)engine->records, "alerts", "kept", (json_int_t)alerts->count,
		"size", ALERTS_MAX, "muted", (json_int_t)alerts->muted, "evicted",
		(json_int_t)alerts->evicted, "turned_away", (json_int_t)alerts->turned_away,
		"mutes", (int)alerts->mutes.count, "incidents", "kept",
		(json_int_t)alerts->incidents.count, "open", open_incidents(alerts), "size",
		INCIDENTS_MAX, "turned_away", (json_int_t)alerts->incidents.turned_away,
		"parties_turned_away", (json_int_t)alerts->incidents.parties_turned_away,
		"baseline", baseline_describe(engine->baseline), "detectors",
		detectors_to_json(engine));
}

json_t *engine_save(const struct engine *engine)
{
	json_t *json = json_object();

	for (size_t i = 0; i < engine->settings->detectors_count; i++)
		if (engine->open[i] && detectors[i]->save)
			json_object_set_new(
				json, detectors[i]->name, detectors[i]->save(engine->open[i]));
	return json;
}

int engine_load(struct engine *engine, const json_t *state, struct error *error)
{
	int result = 0;

	for (size_t i = 0; i < engine->settings->detectors_count; i++) {
		const json_t *own = json_object_get(state, detectors[i]->name);
		int r = 0;

		if (engine->open[i] && detectors[i]->load && own)
			r = detectors[i]->load(engine->open[i], own);
		if (r < 0)
			result = error_errno(
				error, r, "what detector %s remembers", detectors[i]->name);
	}
	return result;
}
