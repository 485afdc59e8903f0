// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/incident.h"

#include "base/cleanup.h"
#include "detect/technique.h"
#include "flow/timestamp.h"

#include <stdio.h>
#include <string.h>
#include <utlist.h>

#define DETECTORS_AGREE 3 /* so many detectors together are surer than each alone */

/* --- parties ------------------------------------------------------------------------------------
 */

static bool parties_have(const struct parties *parties, const char *id)
{
	for (size_t i = 0; i < parties->count; i++)
		if (!strcmp(parties->ids[i], id))
			return true;
	return false;
}

/* One that there is no room for is passed over, and counted: a person cannot follow a story of more
 * parties, yet what they do is another story. */
static void parties_add(struct incidents *incidents, struct parties *parties, const char *id)
{
	char *copy;

	if (!*id || parties_have(parties, id))
		return;
	copy = parties->count < INCIDENT_PARTIES_MAX ? strdup(id) : NULL;
	if (copy)
		parties->ids[parties->count++] = copy;
	else
		incidents->parties_turned_away++;
}

static void parties_clear(struct parties *parties)
{
	while (parties->count)
		free(parties->ids[--parties->count]);
}

static json_t *parties_to_json(const struct parties *parties)
{
	json_t *json = json_array();

	for (size_t i = 0; i < parties->count; i++)
		json_array_append_new(json, json_string(parties->ids[i]));
	return json;
}

/* --- stories ------------------------------------------------------------------------------------
 */

static void incident_free(struct incidents *incidents, struct incident *incident)
{
	DL_DELETE2(incidents->by_age, incident, prev, next);
	incidents->count--;
	parties_clear(&incident->actors);
	parties_clear(&incident->reached);
	free(incident);
}

static void unlink_alert(struct alert *alert)
{
	struct incident *incident = alert->incident;

	DL_DELETE2(incident->alerts, alert, incident_prev, incident_next);
	alert->incident = NULL;
}

static int by_time(const struct alert *a, const struct alert *b)
{
	if (a->raised_ns != b->raised_ns)
		return a->raised_ns < b->raised_ns ? -1 : 1;
	return strcmp(a->id, b->id);
}

/* What the alert says about who is who. */
static void learn(struct incidents *incidents, struct incident *incident, const struct alert *alert)
{
	parties_add(incidents, &incident->actors, alert->actor.id);
	if (technique_find(alert->technique)->gives_access)
		parties_add(incidents, &incident->reached, alert->target.id);
	if (!incident->first_ns || alert->first_ns < incident->first_ns)
		incident->first_ns = alert->first_ns;
	if (alert->last_ns > incident->last_ns)
		incident->last_ns = alert->last_ns;
}

static void link_alert(struct incidents *incidents, struct incident *incident, struct alert *alert)
{
	alert->incident = incident;
	DL_INSERT_INORDER2(incident->alerts, alert, by_time, incident_prev, incident_next);
	learn(incidents, incident, alert);
}

/* One that nobody goes on with gives its alerts up: they stay, alone. */
static void make_room(struct incidents *incidents)
{
	while (incidents->count >= incidents->max) {
		struct incident *oldest = incidents->by_age;

		while (oldest->alerts)
			unlink_alert(oldest->alerts);
		incident_free(incidents, oldest);
		incidents->turned_away++;
	}
}

static struct incident *begin(struct incidents *incidents, const char *id)
{
	struct incident *incident = calloc(1, sizeof(*incident));

	if (!incident) {
		incidents->turned_away++;
		return NULL;
	}
	make_room(incidents);
	snprintf(incident->id, sizeof(incident->id), "%s", id);
	DL_APPEND2(incidents->by_age, incident, prev, next);
	incidents->count++;
	return incident;
}

bool incident_is_open(
	const struct incidents *incidents, const struct incident *incident, uint64_t now_ns)
{
	return now_ns <= incident->last_ns || now_ns - incident->last_ns <= incidents->campaign_ns;
}

static bool belongs(const struct incidents *incidents, const struct incident *incident,
	const struct alert *alert, const char *origin_id)
{
	if (!incident_is_open(incidents, incident, alert->last_ns))
		return false;
	return parties_have(&incident->actors, alert->actor.id) ||
	       parties_have(&incident->reached, alert->actor.id) ||
	       (*origin_id && (parties_have(&incident->actors, origin_id) ||
				      parties_have(&incident->reached, origin_id)));
}

/* The earlier story goes on, and the later becomes part of it. */
static struct incident *join(struct incidents *incidents, struct incident *a, struct incident *b)
{
	bool a_is_first =
		a->first_ns != b->first_ns ? a->first_ns < b->first_ns : strcmp(a->id, b->id) < 0;
	struct incident *first = a_is_first ? a : b, *second = a_is_first ? b : a;

	while (second->alerts) {
		struct alert *alert = second->alerts;

		unlink_alert(alert);
		link_alert(incidents, first, alert);
	}
	for (size_t i = 0; i < second->reached.count; i++)
		parties_add(incidents, &first->reached, second->reached.ids[i]);
	incident_free(incidents, second);
	return first;
}

static void go_on(struct incidents *incidents, struct alert *alert)
{
	struct incident *incident = alert->incident;

	learn(incidents, incident, alert);
	DL_DELETE2(incidents->by_age, incident, prev, next);
	DL_APPEND2(incidents->by_age, incident, prev, next);
}

void incidents_take(struct incidents *incidents, struct alert *alert, const char *origin_id)
{
	struct incident *incident = alert->incident, *other, *next;
	char id[INCIDENT_ID_LENGTH + 1];

	/* Most reports say nothing that their story does not know. */
	if (incident && (!*origin_id || parties_have(&incident->actors, origin_id))) {
		go_on(incidents, alert);
		return;
	}
	/* To join two frees one of them: its own goes before all others, where no loop waits. */
	if (incident) {
		DL_DELETE2(incidents->by_age, incident, prev, next);
		DL_PREPEND2(incidents->by_age, incident, prev, next);
	}
	DL_FOREACH_SAFE2 (incidents->by_age, other, next, next) {
		if (other == incident || !belongs(incidents, other, alert, origin_id))
			continue;
		incident = incident ? join(incidents, incident, other) : other;
	}
	if (!incident) {
		snprintf(id, sizeof(id), "i%s", alert->id);
		incident = begin(incidents, id);
	}
	if (!incident)
		return;
	if (alert->incident != incident)
		link_alert(incidents, incident, alert);
	go_on(incidents, alert);
}

void incidents_drop(struct incidents *incidents, struct alert *alert)
{
	struct incident *incident = alert->incident;

	if (!incident)
		return;
	unlink_alert(alert);
	if (!incident->alerts)
		incident_free(incidents, incident);
}

struct incident *incidents_find(const struct incidents *incidents, const char *id)
{
	struct incident *incident;

	DL_FOREACH2 (incidents->by_age, incident, next)
		if (!strcmp(incident->id, id))
			return incident;
	return NULL;
}

void incidents_restore(struct incidents *incidents, struct alert *alert, const char *id)
{
	struct incident *incident = incidents_find(incidents, id);

	if (!incident)
		incident = begin(incidents, id);
	if (!incident)
		return;
	link_alert(incidents, incident, alert);
	go_on(incidents, alert);
}

/* --- telling ------------------------------------------------------------------------------------
 */

static bool is_first_of_detector(const struct incident *incident, const struct alert *alert)
{
	const struct alert *earlier;

	DL_FOREACH2 (incident->alerts, earlier, incident_next) {
		if (earlier == alert)
			return true;
		if (earlier->severity >= SEVERITY_MEDIUM &&
			!strcmp(earlier->detector, alert->detector))
			return false;
	}
	return true;
}

enum severity incident_severity(const struct incident *incident)
{
	enum severity highest = SEVERITY_LOW;
	const struct alert *alert;
	unsigned int agreed = 0;

	DL_FOREACH2 (incident->alerts, alert, incident_next) {
		if (alert->severity > highest)
			highest = alert->severity;
		if (alert->severity >= SEVERITY_MEDIUM && is_first_of_detector(incident, alert))
			agreed++;
	}
	return agreed >= DETECTORS_AGREE ? SEVERITY_CRITICAL : highest;
}

static json_t *moment_to_json(const struct alert *alert)
{
	const struct technique *technique = technique_find(alert->technique);

	return json_pack("{s:o, s:o, s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s}, s:s, s:s}", "first",
		timestamp_to_json(alert->first_ns), "last", timestamp_to_json(alert->last_ns),
		"alert", alert->id, "detector", alert->detector, "severity",
		severity_name(alert->severity), "actor", alert->actor.id, "technique", "id",
		technique->id, "name", technique->name, "tactic", technique->tactic, "target",
		alert->target.id, "sentence", alert->sentence);
}

json_t *incident_to_json(
	const struct incidents *incidents, const struct incident *incident, uint64_t now_ns)
{
	json_t *moments = json_array();
	const struct alert *alert;

	DL_FOREACH2 (incident->alerts, alert, incident_next)
		json_array_append_new(moments, moment_to_json(alert));
	return json_pack("{s:s, s:s, s:b, s:o, s:o, s:o, s:o}", "id", incident->id, "severity",
		severity_name(incident_severity(incident)), "open",
		incident_is_open(incidents, incident, now_ns), "actors",
		parties_to_json(&incident->actors), "first", timestamp_to_json(incident->first_ns),
		"last", timestamp_to_json(incident->last_ns), "alerts", moments);
}
