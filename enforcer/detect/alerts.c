// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/alerts.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>
#include <utlist.h>

#define GOES_ON_NS (60ULL * 1000000000)
#define SWEEP_NS   (10ULL * 1000000000)

void alerts_init(struct alerts *alerts, const struct alerts_options *options)
{
	*alerts = (struct alerts){
		.options = *options,
		.incidents = {.max = options->incidents_max, .campaign_ns = options->campaign_ns},
	};
}

/* --- the tables ---------------------------------------------------------------------------------
 */

struct alert *alerts_find(const struct alerts *alerts, const char *id)
{
	struct alert *alert;

	HASH_FIND(by_id, alerts->by_id, id, strlen(id), alert);
	return alert;
}

static void close_alert(struct alerts *alerts, struct alert *alert)
{
	if (!alert->open)
		return;
	HASH_DELETE(by_matter, alerts->by_matter, alert);
	alert->open = false;
	alerts->changes++;
}

static void remove_alert(struct alerts *alerts, struct alert *alert)
{
	close_alert(alerts, alert);
	incidents_drop(&alerts->incidents, alert);
	HASH_DELETE(by_id, alerts->by_id, alert);
	DL_DELETE2(alerts->by_age, alert, prev, next);
	alerts->count--;
	alert_free(alert);
}

void alerts_clear(struct alerts *alerts)
{
	while (alerts->by_age)
		remove_alert(alerts, alerts->by_age);
	mutes_clear(&alerts->mutes);
}

static bool goes_before(const struct alert *a, const struct alert *b)
{
	if (a->open != b->open)
		return !a->open;
	return a->severity < b->severity;
}

static void make_room(struct alerts *alerts)
{
	while (alerts->count >= alerts->options.alerts_max) {
		struct alert *alert, *victim = alerts->by_age;

		DL_FOREACH2 (alerts->by_age, alert, next)
			if (goes_before(alert, victim))
				victim = alert;
		remove_alert(alerts, victim);
		alerts->evicted++;
	}
}

/* Takes alert. An id that is there already (48 bits, from the same matter) is the same alert. */
static int insert(struct alerts *alerts, struct alert *alert)
{
	if (alerts_find(alerts, alert->id)) {
		alert_free(alert);
		return -EEXIST;
	}
	make_room(alerts);
	HASH_ADD(by_id, alerts->by_id, id, ALERT_ID_LENGTH, alert);
	if (!alert->by_id.tbl) {
		alert_free(alert);
		return -ENOMEM;
	}
	if (alert->open)
		HASH_ADD(by_matter, alerts->by_matter, matter, alert->matter_length, alert);
	if (!alert->by_matter.tbl)
		alert->open = false;
	DL_APPEND2(alerts->by_age, alert, prev, next);
	alerts->count++;
	return 0;
}

/* --- reports ------------------------------------------------------------------------------------
 */

static void tell(struct alerts *alerts, struct alert *alert, enum alert_news news)
{
	alert->told_ns = alert->last_ns;
	alert->kept_back = alert->muted;
	if (alert->muted)
		alerts->muted++;
	else if (alerts->options.told)
		alerts->options.told(alert, news, alerts->options.userdata);
}

static struct alert *raise_alert(struct alerts *alerts, const struct finding *finding)
{
	struct alert *alert;

	if (alert_new(finding, &alert) < 0 || insert(alerts, alert) < 0) {
		alerts->turned_away++;
		return NULL;
	}
	alert->muted = mutes_match(&alerts->mutes, alert, finding->time_ns);
	return alert;
}

static bool is_quiet(const struct alerts *alerts, const struct alert *alert, uint64_t now_ns)
{
	return alert->last_ns + alerts->options.quiet_ns < now_ns;
}

/* What is new about it; false: nothing that is worth telling yet. */
static bool update(struct alerts *alerts, struct alert *alert, const struct finding *finding,
	enum alert_news *news)
{
	bool worse = alert_update(alert, finding);
	bool is_late;

	alert->muted = mutes_match(&alerts->mutes, alert, finding->time_ns);
	is_late = alert->kept_back && !alert->muted;
	DL_DELETE2(alerts->by_age, alert, prev, next);
	DL_APPEND2(alerts->by_age, alert, prev, next);
	*news = is_late ? ALERT_RAISED : worse ? ALERT_WORSE : ALERT_GOES_ON;
	return worse || is_late || alert->last_ns - alert->told_ns >= GOES_ON_NS;
}

struct alert *alerts_report(struct alerts *alerts, const struct finding *finding)
{
	char matter[MATTER_MAX], origin[PARTY_ID_MAX];
	size_t length = alert_matter(finding, matter);
	enum alert_news news = ALERT_RAISED;
	struct alert *alert;
	bool is_news = true;

	HASH_FIND(by_matter, alerts->by_matter, matter, length, alert);
	if (alert && is_quiet(alerts, alert, finding->time_ns)) {
		close_alert(alerts, alert);
		alert = NULL;
	}
	if (alert)
		is_news = update(alerts, alert, finding, &news);
	else
		alert = raise_alert(alerts, finding);
	if (!alert)
		return NULL;
	party_id(finding->origin, &finding->origin_address, origin);
	incidents_take(&alerts->incidents, alert, origin);
	alerts->changes++;
	if (is_news)
		tell(alerts, alert, news);
	return alert;
}

void alerts_pass(struct alerts *alerts, uint64_t now_ns)
{
	struct alert *alert;

	if (now_ns <= alerts->now_ns)
		return;
	alerts->now_ns = now_ns;
	/* That one is closed only matters to who looks: a report looks for itself. */
	if (now_ns < alerts->swept_ns + SWEEP_NS)
		return;
	alerts->swept_ns = now_ns;
	DL_FOREACH2 (alerts->by_age, alert, next) {
		if (!is_quiet(alerts, alert, now_ns))
			return;
		close_alert(alerts, alert);
	}
}

bool alerts_suspect(const struct alerts *alerts, const char *actor_id)
{
	const struct alert *alert;

	for (alert = alerts->by_matter; alert; alert = alert->by_matter.next)
		if (alert->severity >= SEVERITY_MEDIUM && !alert->acknowledged_by &&
			!strcmp(alert->actor.id, actor_id))
			return true;
	return false;
}

void alerts_mute(struct alerts *alerts, uint64_t now_ns)
{
	struct alert *alert;

	mutes_drop_ended(&alerts->mutes, now_ns);
	DL_FOREACH2 (alerts->by_age, alert, next)
		alert->muted = mutes_match(&alerts->mutes, alert, now_ns);
	alerts->changes++;
}

int alert_acknowledge(struct alerts *alerts, struct alert *alert, const char *user,
	const char *note, uint64_t now_ns)
{
	_cleanup_free_ char *by = strdup(user), *text = note ? strdup(note) : NULL;

	if (!by || (note && !text))
		return -ENOMEM;
	free(alert->acknowledged_by);
	free(alert->acknowledged_note);
	alert->acknowledged_by = TAKE_PTR(by);
	alert->acknowledged_note = TAKE_PTR(text);
	alert->acknowledged_ns = now_ns;
	alerts->changes++;
	return 0;
}

/* --- the state ----------------------------------------------------------------------------------
 */

json_t *alerts_one_to_json(const struct alert *alert)
{
	json_t *json = alert_to_json(alert);

	if (json)
		json_object_set_new(json, "incident",
			alert->incident ? json_string(alert->incident->id) : json_null());
	return json;
}

static json_t *saved(const struct alert *alert)
{
	json_t *json = alerts_one_to_json(alert);

	if (json)
		json_object_set_new(json, "kept_back", json_boolean(alert->kept_back));
	return json;
}

json_t *alerts_save(const struct alerts *alerts)
{
	json_t *all = json_array(), *mutes = json_array();
	const struct alert *alert;

	DL_FOREACH2 (alerts->by_age, alert, next)
		json_array_append_new(all, saved(alert));
	for (size_t i = 0; i < alerts->mutes.count; i++)
		json_array_append_new(mutes, mute_to_json(&alerts->mutes.items[i]));
	return json_pack("{s:o, s:o}", "alerts", all, "mutes", mutes);
}

static int load_alert(struct alerts *alerts, const json_t *json)
{
	const char *incident = json_string_value(json_object_get(json, "incident"));
	char id[INCIDENT_ID_LENGTH + 1] = "";
	struct alert *alert;
	int r = alert_from_json(json, &alert);

	if (r < 0)
		return r;
	alert->kept_back = json_is_true(json_object_get(json, "kept_back"));
	if (incident && strlen(incident) < sizeof(id))
		memcpy(id, incident, strlen(incident) + 1);
	if (insert(alerts, alert) < 0)
		return -EBADMSG;
	if (*id)
		incidents_restore(&alerts->incidents, alert, id);
	if (alert->last_ns > alerts->now_ns)
		alerts->now_ns = alert->last_ns;
	return 0;
}

int alerts_load(struct alerts *alerts, const json_t *state)
{
	int result = json_is_object(state) ? 0 : -EBADMSG;
	json_t *json;
	size_t i;

	json_array_foreach (json_object_get(state, "alerts"), i, json) {
		int r = load_alert(alerts, json);

		if (r < 0)
			result = r;
	}
	json_array_foreach (json_object_get(state, "mutes"), i, json) {
		_cleanup_mute_ struct mute mute = {0};

		if (mute_from_json(json, &mute) < 0 || mutes_add(&alerts->mutes, &mute, NULL) < 0)
			result = -EBADMSG;
	}
	return result;
}
