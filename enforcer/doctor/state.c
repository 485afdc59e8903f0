/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent that runs says of itself. */
#include "doctor/check.h"

#define FILL_ALARM_PERCENT 80
#define FILL_FULL_PERCENT  98

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static void check_reconcile(const json_t *status, struct findings *findings)
{
	const char *error = text(status, "last_error");

	if (*error)
		findings_add(findings, FINDING_ERROR, "reconcile",
			"put right what the sentence names; the agent tries again by itself",
			"the last change is not in force, the state before it is: %s", error);
	else
		findings_add(findings, FINDING_OK, "reconcile", NULL,
			"generation %lld is in force, by the %s data plane",
			(long long)json_integer_value(json_object_get(status, "generation")),
			text(status, "dataplane"));
}

static void check_stored(const json_t *status, struct findings *findings)
{
	const char *unstored = text(status, "unstored");

	if (*unstored)
		findings_add(findings, FINDING_ERROR, "unstored",
			"make room for it, then apply any policy again",
			"a restart would bring back other policies than those in force: %s",
			unstored);
}

static void check_sources(const json_t *status, struct findings *findings)
{
	const json_t *source;
	size_t i;

	json_array_foreach (json_object_get(status, "sources"), i, source) {
		if (!json_is_true(json_object_get(source, "healthy")))
			findings_add(findings, FINDING_NOTE, "source",
				"see what is said of runtimes below",
				"the agent does not hear from %s%s%s; the last known workloads stay "
				"in force",
				text(source, "name"), *text(source, "message") ? ": " : "",
				text(source, "message"));
	}
}

static void check_troubles(const json_t *status, struct findings *findings)
{
	const json_t *trouble;
	size_t i;

	json_array_foreach (json_object_get(status, "troubles"), i, trouble) {
		bool repaired = json_is_true(json_object_get(trouble, "repaired"));

		findings_add(findings, repaired ? FINDING_NOTE : FINDING_WARNING, "trouble",
			repaired ? "look for who did it, lest it happens again"
				 : "journalctl -u segd tells what came before",
			"%s, last at %s%s", text(trouble, "message"), text(trouble, "time"),
			repaired ? "; the agent has put it right" : "");
	}
}

static void check_tables(const json_t *plane, struct findings *findings)
{
	json_t *tables = json_object_get(plane, "tables"), *table;
	bool roomy = true;
	const char *name;

	json_object_foreach (tables, name, table) {
		double used = json_number_value(json_object_get(table, "used"));
		double size = json_number_value(json_object_get(table, "size"));
		double percent = size > 0 ? used * 100 / size : 0;

		if (percent < FILL_ALARM_PERCENT)
			continue;
		roomy = false;
		findings_add(findings,
			percent < FILL_FULL_PERCENT ? FINDING_WARNING : FINDING_ERROR, "table-full",
			"segctl inspect dataplane shows what fills it",
			"table %s is %.0f %% full (%.0f of %.0f): when it is full, what needs it is "
			"refused",
			name, percent, used, size);
	}
	if (roomy)
		findings_add(findings, FINDING_OK, "table-full", NULL,
			"no table of the data plane is fuller than %d %%", FILL_ALARM_PERCENT);
}

static void check_losses(const json_t *status, struct findings *findings)
{
	json_t *losses = json_object_get(json_object_get(status, "plane"), "losses"), *value;
	const char *name;

	json_object_foreach (losses, name, value) {
		long long lost = json_integer_value(value);

		if (lost)
			findings_add(findings, FINDING_NOTE, "losses",
				"totals are exact; gap records in segctl flows say when it was",
				"%lld times since the data plane was set up something could not be "
				"told: %s",
				lost, name);
	}
}

/* Log and store: what cannot be written now. That of before is among the troubles. */
static void check_storage(const json_t *status, struct findings *findings)
{
	static const struct {
		const char *member, *check, *name, *advice;
	} parts[] = {
		{"log", "flow-log", "flow log",
			"make room, or let the agent write there; it goes on by itself"},
		{"store", "flow-store", "flow store",
			"make room, or let the agent write there; it goes on by itself"},
	};
	const json_t *flows = json_object_get(status, "flows");

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const json_t *part = json_object_get(flows, parts[i].member);

		if (!json_is_object(part))
			continue;
		if (*text(part, "error"))
			findings_add(findings, FINDING_ERROR, parts[i].check, parts[i].advice,
				"the %s is not written, while policy is enforced all the same: %s",
				parts[i].name, text(part, "error"));
		else
			findings_add(findings, FINDING_OK, parts[i].check, NULL,
				"the %s is written", parts[i].name);
	}
}

static void check_host(const json_t *status, struct findings *findings)
{
	const json_t *host = json_object_get(status, "host");

	if (json_is_true(json_object_get(host, "bound")))
		findings_add(findings, FINDING_OK, "host", NULL,
			"policy binds the node itself; ports that stay open whatever it says: %s",
			text(host, "failsafe"));
	else
		findings_add(findings, FINDING_NOTE, "host",
			"a SegmentPolicy with subject entity:host, see segd-policy(5)",
			"no policy binds the node itself: everybody reaches its own services");
	if (json_is_object(json_object_get(status, "confirm")))
		findings_add(findings, FINDING_NOTE, "confirm", "segctl policy confirm",
			"policies are in force for a trial, and go back unless they are confirmed");
}

/* The other data plane behind the one in use (segd --second-lock). */
static void check_second_lock(const json_t *status, struct findings *findings)
{
	const json_t *lock = json_object_get(status, "second_lock");
	long long open = json_integer_value(json_object_get(lock, "open"));
	long long all = json_integer_value(json_object_get(lock, "interfaces"));

	if (!json_is_object(lock))
		return;
	if (open)
		findings_add(findings, FINDING_WARNING, "second-lock",
			"segctl status names the trouble, see --second-lock in segd(8)",
			"the second lock does not cover %lld of %lld interfaces: there the first data "
			"plane is alone",
			open, all);
	else
		findings_add(findings, FINDING_OK, "second-lock", NULL,
			"the second lock covers all of %lld interfaces", all);
}

void check_state(const struct doctor_view *view, struct findings *findings)
{
	if (!view->status) {
		findings_add(findings, FINDING_NOTE, "agent", "systemctl start segd",
			"this report is made without an agent: what one left in the kernel goes on, "
			"but neither policies nor workloads can change");
		return;
	}
	check_reconcile(view->status, findings);
	check_stored(view->status, findings);
	check_sources(view->status, findings);
	check_troubles(view->status, findings);
	check_tables(json_object_get(view->status, "plane"), findings);
	check_losses(view->status, findings);
	check_storage(view->status, findings);
	check_host(view->status, findings);
	check_second_lock(view->status, findings);
}
