/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "alert_text.h"

#include "record.h"
#include "text.h"

#include <string.h>

enum table_color alert_color(const char *severity)
{
	if (strcmp(severity, "high") == 0 || strcmp(severity, "critical") == 0)
		return TABLE_BAD;
	return strcmp(severity, "medium") == 0 ? TABLE_WARNING : TABLE_PLAIN;
}

const char *alert_party(const json_t *party)
{
	const char *id = field_text(party, "id");

	return *id ? id : "many";
}

char *alert_technique(const json_t *technique)
{
	return text_format("%s %s", field_text(technique, "id"), field_text(technique, "name"));
}

const char *alert_state(const json_t *alert)
{
	if (json_is_true(json_object_get(alert, "muted")))
		return "muted";
	if (json_is_object(json_object_get(alert, "acknowledged")))
		return "seen";
	return json_is_true(json_object_get(alert, "open")) ? "open" : "over";
}
