// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/alert_filter.h"

#include "base/cleanup.h"
#include "flow/argument.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

static const struct {
	const char *key;
	size_t field;
} texts[] = {
	{"detector", offsetof(struct alert_filter, detector)},
	{"technique", offsetof(struct alert_filter, technique)},
	{"actor", offsetof(struct alert_filter, actor)},
	{"target", offsetof(struct alert_filter, target)},
	{"incident", offsetof(struct alert_filter, incident)},
};

static const struct {
	const char *key;
	size_t field;
} flags[] = {
	{"open", offsetof(struct alert_filter, open)},
	{"acknowledged", offsetof(struct alert_filter, acknowledged)},
	{"muted", offsetof(struct alert_filter, muted)},
};

static char **text_at(const struct alert_filter *filter, size_t offset)
{
	return (char **)((char *)filter + offset);
}

void alert_filter_init(struct alert_filter *filter)
{
	*filter = (struct alert_filter){.open = -1, .acknowledged = -1, .muted = -1};
}

void alert_filter_clear(struct alert_filter *filter)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		free(*text_at(filter, texts[i].field));
	alert_filter_init(filter);
}

static int set_flag(int *flag, const char *key, const char *value, struct error *error)
{
	if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
		return error_set(error, -EINVAL, "%s \"%s\": expected 0 or 1", key, value);
	*flag = *value - '0';
	return 0;
}

static int set_text(char **text, const char *key, const char *value, struct error *error)
{
	char *copy;

	if (!*value)
		return error_set(error, -EINVAL, "%s: expected a value", key);
	copy = strdup(value);
	if (!copy)
		return error_nomem(error);
	free(*text);
	*text = copy;
	return 0;
}

int alert_filter_set(
	struct alert_filter *filter, const char *key, const char *value, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (!strcmp(key, texts[i].key))
			return set_text(text_at(filter, texts[i].field), key, value, error);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (!strcmp(key, flags[i].key))
			return set_flag(
				(int *)((char *)filter + flags[i].field), key, value, error);
	if (!strcmp(key, "severity"))
		return severity_parse(value, &filter->severity) < 0
			       ? error_set(error, -EINVAL,
					 "severity \"%s\": expected low, medium, high or critical",
					 value)
			       : 0;
	if (!strcmp(key, "since"))
		return argument_time(&filter->since_ns, key, value, error);
	if (!strcmp(key, "until"))
		return argument_time(&filter->until_ns, key, value, error);
	if (!strcmp(key, "limit"))
		return argument_limit(&filter->limit, value, error);
	return error_set(error, -EINVAL,
		"unknown filter \"%s\": expected detector, technique, actor, target, incident, "
		"severity, open, acknowledged, muted, since, until or limit",
		key);
}

static bool text_matches(const char *wanted, const char *text)
{
	return !wanted || !strcmp(wanted, text);
}

/* By its id, or a workload by its name alone. */
static bool party_matches(const char *wanted, const struct party *party)
{
	char address[ADDRESS_TEXT_MAX];

	return !wanted || !strcmp(wanted, party->id) ||
	       name_matches(party->name, "workload", wanted) ||
	       !strcmp(wanted, address_format(&party->address, address));
}

static bool flag_matches(int wanted, bool value)
{
	return wanted < 0 || wanted == (int)value;
}

bool alert_filter_matches(const struct alert_filter *filter, const struct alert *alert)
{
	return alert->severity >= filter->severity && alert->last_ns >= filter->since_ns &&
	       (!filter->until_ns || alert->first_ns <= filter->until_ns) &&
	       text_matches(filter->detector, alert->detector) &&
	       text_matches(filter->technique, alert->technique) &&
	       text_matches(filter->incident, alert->incident ? alert->incident->id : "") &&
	       party_matches(filter->actor, &alert->actor) &&
	       party_matches(filter->target, &alert->target) &&
	       flag_matches(filter->open, alert->open) &&
	       flag_matches(filter->acknowledged, alert->acknowledged_by != NULL) &&
	       flag_matches(filter->muted, alert->muted);
}

json_t *alert_filter_list(const struct alert_filter *filter, const struct alerts *alerts)
{
	const struct alert *alert = alerts->by_age ? alerts->by_age->prev : NULL;
	json_t *list = json_array();

	/* The head's prev is the tail. */
	for (size_t i = 0; i < alerts->count; i++, alert = alert->prev) {
		if (!alert_filter_matches(filter, alert))
			continue;
		if (filter->limit && json_array_size(list) == filter->limit)
			break;
		if (json_array_insert_new(list, 0, alerts_one_to_json(alert)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}
