// SPDX-License-Identifier: GPL-2.0-or-later
/* Alerts as the API tells them, and as the state directory keeps them. */
#include "base/cleanup.h"
#include "detect/alert.h"
#include "detect/technique.h"
#include "flow/timestamp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static json_t *evidence_to_json(const struct alert *alert)
{
	json_t *evidence = json_array();

	for (size_t i = 0; i < alert->evidence_count; i++) {
		char text[17];

		snprintf(text, sizeof(text), "%016llx", (unsigned long long)alert->evidence[i]);
		json_array_append_new(evidence, json_string(text));
	}
	return evidence;
}

static json_t *acknowledgement_to_json(const struct alert *alert)
{
	if (!alert->acknowledged_by)
		return json_null();
	return json_pack("{s:s, s:o, s:s?}", "user", alert->acknowledged_by, "time",
		timestamp_to_json(alert->acknowledged_ns), "note", alert->acknowledged_note);
}

json_t *alert_to_json(const struct alert *alert)
{
	const struct technique *technique = technique_find(alert->technique);

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s}, s:o, s:o, s:s, s:o, s:o, "
			 "s:o, s:I, s:I, s:b, s:o, s:o, s:b, s:O?}",
		"id", alert->id, "detector", alert->detector, "severity",
		severity_name(alert->severity), "sentence", alert->sentence, "because",
		alert->because, "technique", "id", technique->id, "name", technique->name, "tactic",
		technique->tactic, "actor", party_to_json(&alert->actor), "target",
		party_to_json(&alert->target), "key", alert->key, "first",
		timestamp_to_json(alert->first_ns), "raised", timestamp_to_json(alert->raised_ns),
		"last", timestamp_to_json(alert->last_ns), "count", (json_int_t)alert->count,
		"reports", (json_int_t)alert->reports, "open", alert->open, "evidence",
		evidence_to_json(alert), "acknowledged", acknowledgement_to_json(alert), "muted",
		alert->muted, "response", alert->response);
}

/* --- back ---------------------------------------------------------------------------------------
 */

static uint64_t time_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	uint64_t time_ns = 0;

	if (text)
		timestamp_parse(text, 0, &time_ns);
	return time_ns;
}

/* Borrowed from the finding's life: party_init() takes references of its own. */
static struct name *party_from_json(const json_t *json, struct address *address)
{
	static const char *const members[] = {"workload", "namespace", "labels", "entity"};
	const char *ip = json_string_value(json_object_get(json, "ip"));
	json_t *names = json_object();

	if (ip)
		address_parse(ip, address);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		json_t *value = json_object_get(json, members[i]);

		if (value)
			json_object_set(names, members[i], value);
	}
	if (json_object_size(names))
		return name_new(NULL, names);
	json_decref(names);
	return NULL;
}

static void take_reactions(struct alert *alert, json_t *json)
{
	const json_t *seen = json_object_get(json, "acknowledged");
	const char *user = json_string_value(json_object_get(seen, "user"));
	const char *note = json_string_value(json_object_get(seen, "note"));
	json_t *response = json_object_get(json, "response"), *value;
	size_t i;

	alert->acknowledged_by = user ? strdup(user) : NULL;
	alert->acknowledged_note = note ? strdup(note) : NULL;
	alert->acknowledged_ns = time_of(seen, "time");
	alert->muted = json_is_true(json_object_get(json, "muted"));
	alert->open = json_is_true(json_object_get(json, "open"));
	alert->response = json_is_object(response) ? json_incref(response) : NULL;
	alert->evidence_count = 0;
	json_array_foreach (json_object_get(json, "evidence"), i, value) {
		const char *id = json_string_value(value);

		if (id && alert->evidence_count < ALERT_EVIDENCE_MAX)
			alert->evidence[alert->evidence_count++] = strtoull(id, NULL, 16);
	}
}

static int take_finding(const json_t *json, struct finding *finding)
{
	const char *id, *detector, *severity, *sentence, *because, *technique, *key;
	json_int_t count, reports;

	if (json_unpack((json_t *)json, "{s:s, s:s, s:s, s:s, s:s, s:{s:s}, s:s, s:I, s:I}", "id",
		    &id, "detector", &detector, "severity", &severity, "sentence", &sentence,
		    "because", &because, "technique", "id", &technique, "key", &key, "count",
		    &count, "reports", &reports) < 0 ||
		severity_parse(severity, &finding->severity) < 0)
		return -EBADMSG;
	finding->detector = detector;
	finding->technique = technique;
	finding->count = (uint64_t)count;
	finding->time_ns = time_of(json, "raised");
	finding->first_ns = time_of(json, "first");
	snprintf(finding->key, sizeof(finding->key), "%s", key);
	snprintf(finding->sentence, sizeof(finding->sentence), "%s", sentence);
	snprintf(finding->because, sizeof(finding->because), "%s", because);
	return 0;
}

int alert_from_json(const json_t *json, struct alert **ret)
{
	__attribute__((cleanup(name_releasep))) struct name *actor = NULL, *target = NULL;
	struct finding finding = {0};
	struct alert *alert;
	int r = take_finding(json, &finding);

	if (r < 0)
		return r;
	actor = party_from_json(json_object_get(json, "actor"), &finding.actor_address);
	target = party_from_json(json_object_get(json, "target"), &finding.target_address);
	finding.actor = actor;
	finding.target = target;
	r = alert_new(&finding, &alert);
	if (r < 0)
		return r;
	alert->last_ns = alert->told_ns = time_of(json, "last");
	alert->reports = (uint64_t)json_integer_value(json_object_get(json, "reports"));
	take_reactions(alert, (json_t *)json);
	*ret = alert;
	return 0;
}
