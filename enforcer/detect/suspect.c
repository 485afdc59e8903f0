// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/suspect.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

static void keep_name(struct name **kept, struct name *name)
{
	if (*kept == name)
		return;
	name_release(*kept);
	*kept = name_reference(name);
}

void suspect_update(struct suspect *suspect, const struct record *record)
{
	const struct flow_event *event = &record->event;

	keep_name(&suspect->actor, record->source);
	keep_name(&suspect->target, record->destination);
	suspect->actor_address = event->source;
	suspect->target_address = event->destination;
	if (!suspect->first_ns || event->start_ns < suspect->first_ns)
		suspect->first_ns = event->start_ns;
	if (event->time_ns > suspect->last_ns)
		suspect->last_ns = event->time_ns;
}

void suspect_add(struct suspect *suspect, const struct record *record)
{
	suspect_update(suspect, record);
	suspect->evidence[suspect->count++ % FINDING_EVIDENCE_MAX] = record->event.id;
}

void suspect_go_on(struct suspect *suspect, const struct record *record, bool is_first)
{
	if (is_first || !suspect->count)
		suspect_add(suspect, record);
	else
		suspect_update(suspect, record);
}

void suspect_clear(struct suspect *suspect)
{
	name_release(suspect->actor);
	name_release(suspect->target);
	*suspect = (struct suspect){0};
}

struct finding suspect_finding(
	const struct suspect *suspect, const char *detector, const char *technique)
{
	struct finding finding = {
		.detector = detector,
		.technique = technique,
		.time_ns = suspect->last_ns,
		.first_ns = suspect->first_ns,
		.actor = suspect->actor,
		.actor_address = suspect->actor_address,
		.target = suspect->target,
		.target_address = suspect->target_address,
		.count = suspect->count,
	};
	uint64_t from =
		suspect->count > FINDING_EVIDENCE_MAX ? suspect->count - FINDING_EVIDENCE_MAX : 0;

	for (uint64_t i = from; i < suspect->count; i++)
		finding.evidence[finding.evidence_count++] =
			suspect->evidence[i % FINDING_EVIDENCE_MAX];
	return finding;
}

void finding_has_many_targets(struct finding *finding)
{
	static const struct address none;

	finding->target = NULL;
	finding->target_address = none;
}

void finding_key(struct finding *finding, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(finding->key, sizeof(finding->key), format, arguments);
	utf8_trim(finding->key);
	va_end(arguments);
}

void finding_sentence(struct finding *finding, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(finding->sentence, sizeof(finding->sentence), format, arguments);
	utf8_trim(finding->sentence);
	va_end(arguments);
}

void finding_because(struct finding *finding, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(finding->because, sizeof(finding->because), format, arguments);
	utf8_trim(finding->because);
	va_end(arguments);
}
