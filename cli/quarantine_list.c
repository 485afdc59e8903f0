/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl quarantine list: who is cut off. */
#include "client.h"
#include "clock.h"
#include "command.h"
#include "output.h"
#include "record.h"
#include "table.h"
#include "text.h"

#include <string.h>

static const struct argp argp = {
	.doc = "Lists the workloads that are cut off. STATE is isolated; waiting for one that does not "
	       "run on this node; unenforced where nothing on this node can judge its packets.",
};

static const struct table_column columns[] = {
	{"WORKLOAD", TABLE_SHRINK},
	{"STATE", 0},
	{"SINCE", 0},
	{"UNTIL", 0},
	{"BY", 0},
	{"ALLOWED", TABLE_SHRINK},
	{"REASON", TABLE_NOTE},
	{0},
};

static const char *peer_text(const json_t *peer)
{
	static const char *const members[] = {"cidr", "workloads", "entity"};

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (*field_text(peer, members[i]))
			return field_text(peer, members[i]);
	return "?";
}

/* "192.0.2.7/32:tcp/22, app=forensics" */
static char *allowed(const json_t *quarantine)
{
	const json_t *allow = json_object_get(quarantine, "allow"), *rule, *peer;
	_cleanup_json_ json_t *words = must(json_array());
	size_t i, k;

	json_array_foreach (allow, i, rule) {
		_cleanup_free_ char *ports = record_list(json_object_get(rule, "ports"));

		json_array_foreach (json_object_get(rule, "from"), k, peer) {
			_cleanup_free_ char *word =
				text_format("%s%s%s", peer_text(peer), *ports ? ":" : "", ports);

			json_array_append_new(words, must(json_string(word)));
		}
	}
	return json_array_size(words) ? record_list(words) : text_format("nobody");
}

static void add_row(struct table *table, const struct settings *settings, const json_t *quarantine)
{
	const char *state = field_text(quarantine, "state");
	const char *until = field_text(quarantine, "until");
	const char *origin = field_text(quarantine, "origin");
	const char *user = field_text(json_object_get(quarantine, "by"), "user");
	bool isolated = strcmp(state, "isolated") == 0;

	table_row(table);
	table_cell(table, TABLE_PLAIN, record_name(quarantine));
	table_cell_text(table,
		isolated                        ? TABLE_GOOD
		: strcmp(state, "waiting") == 0 ? TABLE_WARNING
						: TABLE_BAD,
		state);
	table_cell(
		table, TABLE_PLAIN, clock_format_cell(settings, field_text(quarantine, "since")));
	table_cell(table, TABLE_PLAIN,
		*until ? clock_format_cell(settings, until) : text_format("removed"));
	table_cell(table, TABLE_PLAIN,
		text_format("%s%s", user, strcmp(origin, "manual") == 0 ? "" : " (automatic)"));
	table_cell(table, TABLE_PLAIN, allowed(quarantine));
	table_cell_text(table, TABLE_PLAIN, field_text(quarantine, "reason"));
}

int quarantine_list_run(struct settings *settings, int argc, char **argv)
{
	_cleanup_client_ struct client *client = NULL;
	_cleanup_table_ struct table *table = NULL;
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_json_ json_t *answer = NULL;
	const json_t *quarantines, *quarantine;
	size_t i;

	settings_parse(settings, &argp, OUTPUT_TABLE | OUTPUT_WIDE | OUTPUT_JSON, argc, argv, NULL);
	client = client_new(settings->socket_path);
	if (client_get(client, "/v1/quarantine", &answer, &error) < 0)
		return report(settings, &error);
	if (settings->output == OUTPUT_JSON) {
		output_json(answer);
		return EXIT_YES;
	}
	quarantines = json_object_get(answer, "quarantines");
	if (!json_array_size(quarantines)) {
		puts("no workload is in quarantine");
		return EXIT_YES;
	}
	table = table_new(settings, columns);
	json_array_foreach (quarantines, i, quarantine) {
		add_row(table, settings, quarantine);
	}
	table_print(table);
	return EXIT_YES;
}
