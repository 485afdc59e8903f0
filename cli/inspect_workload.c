/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl inspect workload: what it is, what binds it, who it talks to. */
#include "clock.h"
#include "command.h"
#include "output.h"
#include "record.h"
#include "subject.h"
#include "text.h"

static const struct table_column rule_columns[] = {
	{"PEER", TABLE_SHRINK},
	{"PORTS", TABLE_SHRINK},
	{"VERDICT", 0},
	{"HITS", TABLE_RIGHT},
	{"RULE", TABLE_NOTE},
	{0},
};

static const struct table_column peer_columns[] = {
	{"PEER", TABLE_SHRINK},
	{"DIRECTION", 0},
	{"PORT", 0},
	{"VERDICT", 0},
	{"CONNECTIONS", TABLE_RIGHT},
	{"PACKETS", TABLE_RIGHT},
	{0},
};

static void print_interfaces(const json_t *workload)
{
	const json_t *interface;
	size_t i;

	json_array_foreach (json_object_get(workload, "interfaces"), i, interface) {
		_cleanup_free_ char *addresses =
			record_list(json_object_get(interface, "addresses"));
		const char *network = field_text(interface, "network");

		output_property("addresses", addresses);
		output_property_take(
			"interface", text_format("%s%s%s, MAC %s", field_text(interface, "name"),
					     *network ? ", network " : "", network,
					     field_text(interface, "mac")));
	}
}

static void print_ports(const json_t *workload)
{
	const json_t *port;
	size_t i;

	json_array_foreach (json_object_get(workload, "ports"), i, port) {
		_cleanup_free_ char *number = record_port(port);

		output_property_take(i ? "" : "named ports",
			text_format("%s is %s", field_text(port, "name"), number));
	}
}

static void print_selected_by(const json_t *workload)
{
	const json_t *policy, *policies = json_object_get(workload, "selected_by");
	size_t i;

	json_array_foreach (policies, i, policy) {
		_cleanup_free_ char *name = record_name(policy);

		output_property_take(i ? "" : "selected by",
			text_format("%s %s", field_text(policy, "kind"), name));
	}
	if (!i)
		output_property("selected by", "no policy: the default posture holds");
}

static void print_quarantine(const struct settings *settings, const json_t *workload)
{
	const json_t *quarantine = json_object_get(workload, "quarantine");
	const char *until = field_text(quarantine, "until");
	_cleanup_free_ char *end = clock_format(settings, until);

	if (json_is_object(quarantine))
		output_property_take(
			"quarantined", text_format("%s%s%s", field_text(quarantine, "reason"),
					       *until ? "; until " : "", *until ? end : ""));
}

static void print_identity(const struct settings *settings, const json_t *workload)
{
	_cleanup_free_ char *name = record_name(workload);
	const char *started = field_text(workload, "started");
	_cleanup_free_ char *since = clock_format(settings, started);
	_cleanup_free_ char *running = clock_duration(clock_age(started));

	output_text(name);
	putchar('\n');
	output_property_take("labels", record_labels(json_object_get(workload, "labels")));
	print_interfaces(workload);
	print_ports(workload);
	output_property("image", field_text(workload, "image"));
	output_property_take("known from", text_format("%s, id %s", field_text(workload, "source"),
						   field_text(workload, "id")));
	if (clock_age(started) >= 0)
		output_property_take("running", text_format("%s, since %s", running, since));
	output_property("enforced", json_is_true(json_object_get(workload, "enforced"))
					    ? "yes"
					    : "no: nothing here judges its packets");
	print_quarantine(settings, workload);
	print_selected_by(workload);
}

static void print_rules(
	const struct settings *settings, const json_t *workload, const char *direction)
{
	const json_t *rules = json_object_get(json_object_get(workload, "rules"), direction), *rule;
	_cleanup_table_ struct table *table = table_new(settings, rule_columns);
	_cleanup_free_ char *heading = text_format("Rules of %s", direction);
	size_t i;

	if (json_array_size(rules) == 0)
		return;
	json_array_foreach (rules, i, rule) {
		const char *verdict = field_text(rule, "verdict");

		table_row(table);
		table_cell_text(table, TABLE_PLAIN, field_text(rule, "peer"));
		table_cell_text(table, TABLE_PLAIN, field_text(rule, "ports"));
		table_cell_text(table, record_color(verdict), verdict);
		table_count(table, field_number(rule, "hits"));
		table_cell(table, TABLE_PLAIN, record_why(rule));
	}
	output_heading(settings, heading);
	table_print(table);
}

static void print_peers(const struct settings *settings, const json_t *workload)
{
	const json_t *peers = json_object_get(workload, "peers"), *peer;
	_cleanup_table_ struct table *table = table_new(settings, peer_columns);
	size_t i;

	if (json_array_size(peers) == 0)
		return;
	json_array_foreach (peers, i, peer) {
		const char *verdict = field_text(peer, "verdict");

		table_row(table);
		table_cell_text(table, TABLE_PLAIN, field_text(peer, "peer"));
		table_cell_text(table, TABLE_PLAIN, field_text(peer, "direction"));
		table_cell(table, TABLE_PLAIN, record_port(peer));
		table_cell_text(table, record_color(verdict), verdict);
		table_count(table, field_number(peer, "connections"));
		table_count(table, field_sum(peer, "packets"));
	}
	output_heading(settings, "Peers");
	table_print(table);
}

int inspect_workload_run(struct settings *settings, int argc, char **argv)
{
	struct argp argp = subject_argp;
	struct subject subject = {.words_max = 1};
	_cleanup_json_ json_t *workload = NULL;
	int code;

	argp.doc =
		"Says what a workload is, which policies select it, which rules hold for it and how "
		"often each was used, and who it talks to.";
	settings_parse(
		settings, &argp, OUTPUT_TABLE | OUTPUT_WIDE | OUTPUT_JSON, argc, argv, &subject);
	code = subject_fetch(settings, &subject, "/v1/inspect/workload", &workload);
	if (code != EXIT_YES)
		return code;
	if (settings->output == OUTPUT_JSON) {
		output_json(workload);
		return EXIT_YES;
	}
	print_identity(settings, workload);
	print_rules(settings, workload, "ingress");
	print_rules(settings, workload, "egress");
	print_peers(settings, workload);
	return EXIT_YES;
}
