// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/alert.h"

#include "base/cleanup.h"
#include "base/fnv.h"
#include "detect/technique.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HALF_OF_EVIDENCE (ALERT_EVIDENCE_MAX / 2)

static const char *const severities[SEVERITY_COUNT] = {"low", "medium", "high", "critical"};

const char *severity_name(enum severity severity)
{
	return (unsigned int)severity < SEVERITY_COUNT ? severities[severity] : "unknown";
}

int severity_parse(const char *text, enum severity *ret)
{
	for (size_t i = 0; i < SEVERITY_COUNT; i++)
		if (!strcmp(text, severities[i])) {
			*ret = (enum severity)i;
			return 0;
		}
	return -EINVAL;
}

/* --- who ----------------------------------------------------------------------------------------
 */

static bool is_zero(const struct address *address)
{
	static const struct address zero;

	return address_equal(address, &zero);
}

const char *party_id(
	const struct name *name, const struct address *address, char text[static PARTY_ID_MAX])
{
	char address_text[ADDRESS_TEXT_MAX];
	const char *entity = name_entity(name);

	_Static_assert(PARTY_ID_MAX >= NAME_ID_MAX, "a name's id is a party's");
	if (name_workload(name) || (entity && !strcmp(entity, "host")))
		return name_id(name, text);
	/* "world" is no one in particular. */
	snprintf(text, PARTY_ID_MAX, "%s",
		is_zero(address) ? "" : address_format(address, address_text));
	return text;
}

static int party_init(struct party *party, const struct name *name, const struct address *address)
{
	char text[PARTY_ID_MAX];

	party->id = strdup(party_id(name, address, text));
	party->name = name_reference((struct name *)name);
	party->address = *address;
	return party->id ? 0 : -ENOMEM;
}

static void party_clear(struct party *party)
{
	name_release(party->name);
	free(party->id);
}

/* Keeps whom it has where there is no memory. */
static void party_follow(
	struct party *party, const struct name *name, const struct address *address)
{
	struct party other;

	if (party->name == name && address_equal(&party->address, address))
		return;
	if (party_init(&other, name, address) < 0) {
		party_clear(&other);
		return;
	}
	party_clear(party);
	*party = other;
}

json_t *party_to_json(const struct party *party)
{
	char text[ADDRESS_TEXT_MAX];
	json_t *json;

	if (!*party->id)
		return json_null();
	json = json_pack("{s:s}", "id", party->id);
	if (!is_zero(&party->address))
		json_object_set_new(json, "ip", json_string(address_format(&party->address, text)));
	if (party->name)
		json_object_update(json, party->name->json);
	return json;
}

/* --- what ---------------------------------------------------------------------------------------
 */

size_t alert_matter(const struct finding *finding, char ret[static MATTER_MAX])
{
	char actor[PARTY_ID_MAX];
	int length = snprintf(ret, MATTER_MAX, "%.60s%c%s%c%s", finding->detector, '\0',
		party_id(finding->actor, &finding->actor_address, actor), '\0', finding->key);

	return length < MATTER_MAX ? (size_t)length : MATTER_MAX - 1;
}

static void make_id(struct alert *alert)
{
	uint64_t hash = fnv_add(FNV_BEGIN, alert->matter, alert->matter_length);
	uint8_t time[8];

	for (size_t i = 0; i < sizeof(time); i++)
		time[i] = (uint8_t)(alert->raised_ns >> (8 * i));
	hash = fnv_add(hash, time, sizeof(time));
	snprintf(alert->id, sizeof(alert->id), "%012llx",
		(unsigned long long)((hash ^ hash >> 48) & 0xffffffffffffULL));
}

static struct alert *allocate(const char *matter, size_t length)
{
	struct alert *alert = calloc(1, sizeof(*alert) + length + 1);

	if (!alert)
		return NULL;
	memcpy(alert->matter, matter, length);
	alert->matter_length = length;
	alert->open = true;
	return alert;
}

void alert_free(struct alert *alert)
{
	if (!alert)
		return;
	party_clear(&alert->actor);
	party_clear(&alert->target);
	free(alert->detector);
	free(alert->technique);
	free(alert->key);
	free(alert->sentence);
	free(alert->because);
	free(alert->acknowledged_by);
	free(alert->acknowledged_note);
	json_decref(alert->response);
	free(alert);
}

/* The first half of the room is for how it began, the other for the latest. */
static void add_evidence(struct alert *alert, uint64_t id)
{
	for (size_t i = 0; i < alert->evidence_count; i++)
		if (alert->evidence[i] == id)
			return;
	if (alert->evidence_count == ALERT_EVIDENCE_MAX) {
		memmove(&alert->evidence[HALF_OF_EVIDENCE], &alert->evidence[HALF_OF_EVIDENCE + 1],
			(HALF_OF_EVIDENCE - 1) * sizeof(alert->evidence[0]));
		alert->evidence_count--;
	}
	alert->evidence[alert->evidence_count++] = id;
}

static void take_evidence(struct alert *alert, const struct finding *finding)
{
	for (size_t i = 0; i < finding->evidence_count && i < FINDING_EVIDENCE_MAX; i++)
		add_evidence(alert, finding->evidence[i]);
}

int alert_new(const struct finding *finding, struct alert **ret)
{
	char matter[MATTER_MAX];
	size_t length = alert_matter(finding, matter);
	_cleanup_(alert_freep) struct alert *alert = allocate(matter, length);

	if (!alert || party_init(&alert->actor, finding->actor, &finding->actor_address) < 0 ||
		party_init(&alert->target, finding->target, &finding->target_address) < 0)
		return -ENOMEM;
	alert->detector = strdup(finding->detector);
	alert->technique = strdup(finding->technique);
	alert->key = strdup(finding->key);
	alert->sentence = strdup(finding->sentence);
	alert->because = strdup(finding->because);
	if (!alert->detector || !alert->technique || !alert->key || !alert->sentence ||
		!alert->because)
		return -ENOMEM;
	alert->severity = finding->severity;
	alert->raised_ns = alert->last_ns = finding->time_ns;
	alert->first_ns = finding->first_ns ? finding->first_ns : finding->time_ns;
	alert->count = finding->count;
	alert->reports = 1;
	take_evidence(alert, finding);
	make_id(alert);
	*ret = TAKE_PTR(alert);
	return 0;
}

/* Keeps what it has where there is no memory. */
static void replace(char **text, const char *by)
{
	char *copy;

	if (!strcmp(*text, by))
		return;
	copy = strdup(by);
	if (!copy)
		return;
	free(*text);
	*text = copy;
}

bool alert_update(struct alert *alert, const struct finding *finding)
{
	bool raised = finding->severity > alert->severity;

	alert->reports++;
	if (finding->time_ns > alert->last_ns)
		alert->last_ns = finding->time_ns;
	if (finding->count > alert->count)
		alert->count = finding->count;
	take_evidence(alert, finding);
	/* The reason of what was worse stays. */
	if (finding->severity < alert->severity)
		return false;
	alert->severity = finding->severity;
	replace(&alert->sentence, finding->sentence);
	replace(&alert->because, finding->because);
	replace(&alert->technique, finding->technique);
	party_follow(&alert->target, finding->target, &finding->target_address);
	return raised;
}
