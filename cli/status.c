/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl status: whether and how the agent enforces. */
#include "client.h"
#include "clock.h"
#include "command.h"
#include "output.h"
#include "record.h"
#include "text.h"

#include <string.h>

static const struct argp argp = {
	.doc = "Says whether the agent runs, what it enforces, with which data plane, where it learns "
	       "of workloads, and what went wrong last.",
};

static void print_enforcement(const struct settings *settings, const json_t *status)
{
	const json_t *reconcile = json_object_get(status, "last_reconcile");
	const char *started = field_text(status, "started");
	_cleanup_free_ char *policies = NULL, *workloads = NULL, *since = NULL, *running = NULL;
	_cleanup_free_ char *applied = NULL, *took = NULL;
	double age = clock_age(started);

	policies = output_plural(field_number(status, "policies"), "policy", "policies");
	workloads = output_plural(field_number(status, "workloads"), "workload", "workloads");
	output_property_take("enforcing", text_format("%s on %s", policies, workloads));
	output_property_take("by default", text_format("%s where no policy selects a workload",
						   field_text(status, "posture")));
	output_property("data plane", field_text(status, "dataplane"));
	applied = clock_format(settings, field_text(reconcile, "time"));
	took = clock_duration(field_number(reconcile, "milliseconds") / 1000);
	if (json_is_object(reconcile))
		output_property_take(
			"generation", text_format("%.0f, since %s, enforced in %s",
					      field_number(status, "generation"), applied, took));
	else
		output_property_take(
			"generation", text_format("%.0f", field_number(status, "generation")));
	since = clock_format(settings, started);
	running = clock_duration(age);
	if (age >= 0)
		output_property_take("running", text_format("%s, since %s", running, since));
}

static void print_sources(const json_t *status)
{
	const json_t *sources = json_object_get(status, "sources"), *source;
	size_t i;

	json_array_foreach (sources, i, source) {
		bool healthy = json_is_true(json_object_get(source, "healthy"));
		const char *message = field_text(source, "message");

		output_property_take(
			i ? "" : "sources", text_format("%s: %s%s%s", field_text(source, "name"),
						    healthy ? "connected" : "not connected",
						    *message ? ", " : "", message));
	}
}

/* Policy on the node itself, and a decision that is open. */
static void print_host(const json_t *status)
{
	const json_t *host = json_object_get(status, "host");
	const json_t *confirm = json_object_get(status, "confirm");

	if (json_is_true(json_object_get(host, "bound")))
		output_property_take("node", text_format("bound by policy; failsafe ports %s",
						     field_text(host, "failsafe")));
	if (json_is_object(confirm))
		output_property_take("unconfirmed",
			text_format("rolled back in %.0f s unless: segctl policy confirm",
				field_number(confirm, "seconds_left")));
}

/* What closes where a program is taken off. */
static void print_second_lock(const json_t *status)
{
	const json_t *lock = json_object_get(status, "second_lock");
	double open = field_number(lock, "open");
	_cleanup_free_ char *interfaces = NULL, *more = NULL;

	if (!json_is_object(lock))
		return;
	interfaces = output_plural(field_number(lock, "interfaces"), "interface", "interfaces");
	if (open > 0)
		more = text_format("; not on %.0f others", open);
	output_property_take("second lock", text_format("on %s, by packet mark %s%s", interfaces,
						    field_text(lock, "mark"), more ? more : ""));
}

/* Who is cut off. */
static void print_quarantined(const struct settings *settings, const json_t *status)
{
	const json_t *quarantined = json_object_get(status, "quarantined"), *quarantine;
	size_t i;

	json_array_foreach (quarantined, i, quarantine) {
		_cleanup_free_ char *name = record_name(quarantine);
		_cleanup_free_ char *until =
			clock_format(settings, field_text(quarantine, "until"));
		bool ends = *field_text(quarantine, "until");

		output_property_take(i ? "" : "quarantined",
			text_format("%s, %s%s%s: %s", name, field_text(quarantine, "state"),
				ends ? " until " : "", ends ? until : "",
				field_text(quarantine, "reason")));
	}
}

/* Where packets die before policy is asked. Nothing where nothing does. */
static void print_early(const json_t *status)
{
	const json_t *early = json_object_get(json_object_get(status, "plane"), "early");
	const json_t *lists = json_object_get(early, "deny_lists"), *interface;
	const char *problem = field_text(lists, "error");
	size_t i;

	json_array_foreach (json_object_get(early, "interfaces"), i, interface) {
		const char *mechanism = field_text(interface, "mechanism");

		output_property_take(i ? "" : "drops early",
			text_format("%s: %s", field_text(interface, "interface"),
				!strcmp(mechanism, "native") ? "XDP, native"
				: !strcmp(mechanism, "out")  ? "tc, what leaves"
							     : "tc, what comes in"));
	}
	if (field_number(lists, "ranges") > 0 || *problem) {
		_cleanup_free_ char *prefixes = text_count(field_number(lists, "prefixes"));

		output_property_take(
			"deny lists", text_format("%s prefixes%s%s", prefixes,
					      *problem ? ", not read: " : "", problem));
	}
}

/* Each data plane has its own places to lose events at; some of its losses are none of events. */
static double events_lost(const json_t *losses, double *ret_unanswered)
{
	const json_t *value;
	const char *name;
	double lost = 0;

	json_object_foreach ((json_t *)losses, name, value)
		if (strcmp(name, "answer") && strcmp(name, "hit") && strcmp(name, "sample"))
			lost += json_number_value(value);
	*ret_unanswered = field_number(losses, "answer");
	return lost;
}

/* Packets refused and events lost, as the data plane counts them. */
static void print_counters(const json_t *status)
{
	json_t *plane = json_object_get(status, "plane"), *value;
	const json_t *connections = NULL;
	const char *name;
	double unanswered, lost = field_number(json_object_get(status, "flows"), "lost");
	size_t line = 0;

	json_unpack(plane, "{s:{s:o}}", "tables", "connections", &connections);
	if (json_is_object(connections))
		output_property_take("connections",
			text_format("%.0f of at most %.0f", field_number(connections, "used"),
				field_number(connections, "size")));
	json_object_foreach (json_object_get(plane, "counters"), name, value) {
		_cleanup_free_ char *packets = text_count(field_number(value, "packets"));

		if (field_number(value, "packets") > 0)
			output_property_take(line++ ? "" : "packets",
				text_format("%8s %s", packets, record_reason(name)));
	}
	lost += events_lost(json_object_get(plane, "losses"), &unanswered);
	if (lost > 0)
		output_property_take("lost", text_format("%.0f flow events", lost));
	if (unanswered > 0)
		output_property_take("unanswered",
			text_format("%.0f refused packets that ask for an answer", unanswered));
}

static void print_troubles(const struct settings *settings, const json_t *status)
{
	const json_t *troubles = json_object_get(status, "troubles"), *trouble;
	size_t i;

	json_array_foreach (troubles, i, trouble) {
		_cleanup_free_ char *last = clock_format(settings, field_text(trouble, "time"));
		double count = field_number(trouble, "count");

		output_property_take(i ? "" : "trouble",
			text_format("%s: %s%s%s", last, field_text(trouble, "message"),
				json_is_true(json_object_get(trouble, "repaired")) ? ", repaired"
										   : "",
				count > 1 ? ", more than once" : ""));
	}
}

int status_run(struct settings *settings, int argc, char **argv)
{
	_cleanup_client_ struct client *client = NULL;
	_cleanup_json_ json_t *status = NULL;
	_cleanup_error_ struct error error = ERROR_INIT;

	settings_parse(settings, &argp, OUTPUT_TABLE | OUTPUT_JSON, argc, argv, NULL);
	client = client_new(settings->socket_path);
	if (client_get(client, "/v1/status", &status, &error) < 0)
		return report(settings, &error);
	if (settings->output == OUTPUT_JSON) {
		output_json(status);
		return EXIT_YES;
	}
	printf("segd %s on ", field_text(status, "version"));
	output_text(field_text(status, "node"));
	putchar('\n');
	print_enforcement(settings, status);
	print_sources(status);
	print_host(status);
	print_second_lock(status);
	print_quarantined(settings, status);
	print_early(status);
	print_counters(status);
	print_troubles(settings, status);
	output_property("last error", field_text(status, "last_error"));
	output_property("not stored", field_text(status, "unstored"));
	return EXIT_YES;
}
