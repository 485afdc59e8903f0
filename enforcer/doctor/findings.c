/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "doctor/findings.h"

#include <errno.h>
#include <stdarg.h>

static const char *const level_names[FINDING_LEVELS] = {
	[FINDING_OK] = "ok",
	[FINDING_NOTE] = "note",
	[FINDING_WARNING] = "warning",
	[FINDING_ERROR] = "error",
};

const char *finding_level_name(enum finding_level level)
{
	return level_names[level];
}

int findings_init(struct findings *findings)
{
	*findings = (struct findings){.list = json_array(), .area = ""};
	return findings->list ? 0 : -ENOMEM;
}

void findings_clear(struct findings *findings)
{
	json_decref(findings->list);
	findings->list = NULL;
}

/* A report that lacks a finding would say that all is well: better none at all. */
static void fail(struct findings *findings)
{
	json_decref(findings->list);
	findings->list = NULL;
}

void findings_add(struct findings *findings, enum finding_level level, const char *check,
	const char *advice, const char *format, ...)
{
	json_t *what, *finding;
	va_list arguments;

	va_start(arguments, format);
	what = json_vsprintf(format, arguments);
	va_end(arguments);
	/* Names of others' programs may be no UTF-8. */
	if (!what)
		what = json_string("something with a name that cannot be printed");
	finding = json_pack("{s:s, s:s, s:s, s:o, s:s?}", "level", level_names[level], "area",
		findings->area, "check", check, "what", what, "advice", advice);
	findings->counts[level]++;
	if (findings->list && json_array_append_new(findings->list, finding) < 0)
		fail(findings);
}

void findings_advise(struct findings *findings, const char *format, ...)
{
	size_t count = json_array_size(findings->list);
	va_list arguments;
	json_t *advice;

	va_start(arguments, format);
	advice = json_vsprintf(format, arguments);
	va_end(arguments);
	json_object_set_new(
		json_array_get(findings->list, count - 1), "advice", advice ? advice : json_null());
}

json_t *findings_to_json(const struct findings *findings)
{
	bool healthy = !findings->counts[FINDING_WARNING] && !findings->counts[FINDING_ERROR];
	json_t *counts = json_object();

	if (!findings->list) {
		json_decref(counts);
		return NULL;
	}
	for (int i = 0; i < FINDING_LEVELS; i++)
		json_object_set_new(
			counts, level_names[i], json_integer((json_int_t)findings->counts[i]));
	return json_pack("{s:s, s:b, s:O, s:o}", "version", SEGD_VERSION, "healthy", healthy,
		"findings", findings->list, "counts", counts);
}
