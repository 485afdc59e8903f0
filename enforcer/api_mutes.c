// SPDX-License-Identifier: GPL-2.0-or-later
/* What people say about alerts: seen, not now, that is how we do things here. */
#include "api.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "detection.h"
#include "journal.h"
#include "json.h"

#include <errno.h>
#include <string.h>

#define SECONDS_MAX (366LL * 24 * 60 * 60)

/* NULL: the request is answered. An empty body is an empty object. */
static json_t *read_body(struct control_request *request)
{
	json_error_t problem;
	const char *text;
	json_t *body;
	size_t size;

	text = control_body(request, &size);
	body = size ? json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem) : json_object();
	if (!body)
		control_reply_error(request, 400, "%s", problem.text);
	return body;
}

/* NULL: the request is answered. */
static char *read_user(struct control_request *request)
{
	uint32_t uid;
	char *user = control_peer(request, &uid) < 0 ? NULL : api_user_name(uid);

	if (!user)
		control_reply(request, 200, NULL);
	return user;
}

/* --- acknowledging ------------------------------------------------------------------------------
 */

void api_alert_acknowledge(struct control_request *request, void *userdata)
{
	const char *id = control_parameter(request, "id"), *note = NULL;
	struct engine *engine = detection_engine(userdata);
	struct alert *alert = alerts_find(engine_alerts(engine), id);
	_cleanup_json_ json_t *body = NULL;
	_cleanup_free_ char *user = NULL;
	json_error_t problem;

	if (!alert) {
		control_reply_error(request, 404, "there is no alert %s", id);
		return;
	}
	body = read_body(request);
	user = body ? read_user(request) : NULL;
	if (!user)
		return;
	if (json_unpack_ex(body, &problem, JSON_STRICT, "{s?s}", "note", &note) < 0 ||
		(note && strlen(note) > MUTE_REASON_MAX)) {
		control_reply_error(
			request, 422, "note: expected a text of at most %d bytes", MUTE_REASON_MAX);
		return;
	}
	if (alert_acknowledge(engine_alerts(engine), alert, user, note,
		    clock_ns(CLOCK_REALTIME) / 1000 * 1000) < 0) {
		control_reply(request, 200, NULL);
		return;
	}
	baseline_release(engine_baseline(engine), id);
	detection_changed(userdata);
	journal(JOURNAL_NOTICE, "alert %s is acknowledged, by %s", id, user);
	control_reply(request, 200, json_pack("{s:o}", "alert", alerts_one_to_json(alert)));
}

/* --- mutes --------------------------------------------------------------------------------------
 */

void api_mutes(struct control_request *request, void *userdata)
{
	struct alerts *alerts = engine_alerts(detection_engine(userdata));
	json_t *mutes = json_array();

	alerts_mute(alerts, clock_ns(CLOCK_REALTIME));
	for (size_t i = 0; i < alerts->mutes.count; i++)
		json_array_append_new(mutes, mute_to_json(&alerts->mutes.items[i]));
	control_reply(request, 200, json_pack("{s:o}", "mutes", mutes));
}

struct wish {
	const char *alert; /* what is like this one */
	const char *detector;
	const char *actor;
	const char *key;
	const char *reason;
	json_int_t seconds;
};

static int parse_wish(
	const struct alerts *alerts, json_t *body, struct wish *wish, struct error *error)
{
	const struct alert *alert;
	json_error_t problem;

	if (json_unpack_ex(body, &problem, JSON_STRICT, "{s?s, s?s, s?s, s?s, s:s, s:I}", "alert",
		    &wish->alert, "detector", &wish->detector, "actor", &wish->actor, "key",
		    &wish->key, "reason", &wish->reason, "seconds", &wish->seconds) < 0)
		return error_set(error, -EINVAL, "%s", problem.text);
	if (wish->seconds < 1 || wish->seconds > SECONDS_MAX)
		return error_set(error, -EINVAL, "seconds: expected 1 to %lld", SECONDS_MAX);
	if (!*wish->reason || strlen(wish->reason) > MUTE_REASON_MAX)
		return error_set(error, -EINVAL, "reason: expected 1 to %d bytes", MUTE_REASON_MAX);
	if (!wish->alert)
		return 0;
	alert = alerts_find(alerts, wish->alert);
	if (!alert)
		return error_set(error, -ENOENT, "there is no alert %s", wish->alert);
	wish->detector = alert->detector;
	wish->actor = alert->actor.id;
	wish->key = alert->key;
	return 0;
}

static int make(const struct wish *wish, const char *user, struct mute *mute, struct error *error)
{
	mute->since_ns = clock_ns(CLOCK_REALTIME) / 1000 * 1000;
	mute->until_ns = mute->since_ns + (uint64_t)wish->seconds * NS_PER_SECOND;
	if (mute_copy(wish->detector, &mute->detector) < 0 ||
		mute_copy(wish->actor, &mute->actor) < 0 || mute_copy(wish->key, &mute->key) < 0 ||
		mute_copy(wish->reason, &mute->reason) < 0 || mute_copy(user, &mute->user) < 0)
		return error_nomem(error);
	return 0;
}

static int status_of(int error)
{
	switch (error) {
	case -ENOENT:
		return 404;
	case -EINVAL:
		return 422;
	case -ENOSPC:
		return 429;
	default:
		return 500;
	}
}

void api_mutes_add(struct control_request *request, void *userdata)
{
	struct alerts *alerts = engine_alerts(detection_engine(userdata));
	_cleanup_json_ json_t *body = read_body(request);
	_cleanup_free_ char *user = body ? read_user(request) : NULL;
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_mute_ struct mute mute = {0};
	struct wish wish = {0};
	int r;

	if (!user)
		return;
	r = parse_wish(alerts, body, &wish, &error);
	if (r == 0)
		r = make(&wish, user, &mute, &error);
	if (r == 0)
		r = mutes_add(&alerts->mutes, &mute, &error);
	if (r < 0) {
		control_reply_error(request, status_of(r), "%s", error_message(&error));
		return;
	}
	alerts_mute(alerts, clock_ns(CLOCK_REALTIME));
	detection_changed(userdata);
	control_reply(request, 200,
		json_pack("{s:o}", "mute",
			mute_to_json(&alerts->mutes.items[alerts->mutes.count - 1])));
}

void api_mutes_remove(struct control_request *request, void *userdata)
{
	struct alerts *alerts = engine_alerts(detection_engine(userdata));
	const char *id = control_parameter(request, "id");

	if (mutes_remove(&alerts->mutes, id) < 0) {
		control_reply_error(request, 404, "there is no mute %s", id);
		return;
	}
	alerts_mute(alerts, clock_ns(CLOCK_REALTIME));
	detection_changed(userdata);
	control_reply(request, 200, json_pack("{s:s}", "removed", id));
}

/* --- the baseline -------------------------------------------------------------------------------
 */

void api_baseline(struct control_request *request, void *userdata)
{
	const struct baseline *baseline = engine_baseline(detection_engine(userdata));
	const char *role = control_parameter(request, "role");
	json_t *answer = baseline_to_json(baseline, role, clock_ns(CLOCK_REALTIME));

	if (role && answer && !json_array_size(json_object_get(answer, "roles"))) {
		json_decref(answer);
		control_reply_error(request, 404, "nothing is known of a role %s", role);
	} else {
		control_reply(request, 200, answer);
	}
}

void api_baseline_forget(struct control_request *request, void *userdata)
{
	struct baseline *baseline = engine_baseline(detection_engine(userdata));
	const char *role = control_parameter(request, "role");
	size_t forgotten = baseline_forget(baseline, role);

	if (role && !forgotten) {
		control_reply_error(request, 404, "nothing is known of a role %s", role);
		return;
	}
	detection_changed(userdata);
	journal(JOURNAL_NOTICE, "the baseline of %s is forgotten", role ? role : "all roles");
	control_reply(request, 200, json_pack("{s:I}", "forgotten", (json_int_t)forgotten));
}
