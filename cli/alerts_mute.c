/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl alerts mute, unmute and mutes: what nobody wants to be told for a while. */
#include "change.h"
#include "client.h"
#include "clock.h"
#include "command.h"
#include "output.h"
#include "record.h"
#include "subject.h"
#include "table.h"
#include "text.h"
#include "url.h"

#define SECONDS_MAX (366UL * 24 * 60 * 60)

enum {
	KEY_FOR = 0x800,
	KEY_DETECTOR,
	KEY_ACTOR,
	KEY_KEY,
};

struct arguments {
	const struct settings *settings;
	const char *alert;
	const char *detector;
	const char *actor;
	const char *key;
	const char *reason;
	unsigned long seconds;
};

static const struct argp_option options[] = {
	{"reason", 'r', "TEXT", 0, "Why", 1},
	{"for", KEY_FOR, "TIME", 0, "End by itself after 30m, 2h, 7d, …", 1},
	{"detector", KEY_DETECTOR, "NAME", 0, "Alerts of this detector", 2},
	{"actor", KEY_ACTOR, "ID", 0, "About NAMESPACE/NAME, host, or an address", 2},
	{"key", KEY_KEY, "KEY", 0, "With this key, as segctl alerts show says it", 2},
	{0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'r':
		arguments->reason = argument;
		return 0;
	case KEY_FOR:
		arguments->seconds = clock_parse_duration(argument, SECONDS_MAX);
		if (!arguments->seconds)
			usage_error(arguments->settings,
				"--for takes a time such as 30m, 2h or 7d, not '%s'", argument);
		return 0;
	case KEY_DETECTOR:
		arguments->detector = argument;
		return 0;
	case KEY_ACTOR:
		arguments->actor = argument;
		return 0;
	case KEY_KEY:
		arguments->key = argument;
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->alert)
			return ARGP_ERR_UNKNOWN;
		arguments->alert = argument;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[ID]",
	.doc = "Keeps quiet, for a while, about alerts like the one with this ID, or about those that "
	       "match all that is given of detector, actor and key. They are kept and counted; "
	       "segctl alerts --all lists them.",
};

static void print_mute(const struct settings *settings, const json_t *answer)
{
	const json_t *mute = json_object_get(answer, "mute");
	_cleanup_free_ char *until = clock_format(settings, field_text(mute, "until"));

	printf("mute %s until %s; segctl alerts unmute %s ends it\n", field_text(mute, "id"), until,
		field_text(mute, "id"));
}

static int mute(const struct arguments *arguments)
{
	_cleanup_json_ json_t *wish = must(json_pack("{s:s*, s:s*, s:s*, s:s*, s:s, s:I}", "alert",
		arguments->alert, "detector", arguments->detector, "actor", arguments->actor, "key",
		arguments->key, "reason", arguments->reason, "seconds",
		(json_int_t)arguments->seconds));

	return change_run(arguments->settings, "POST", "/v1/mutes", wish, print_mute);
}

int alerts_mute_run(struct settings *settings, int argc, char **argv)
{
	struct arguments arguments = {.settings = settings};

	settings_parse(settings, &argp, OUTPUT_TABLE | OUTPUT_JSON, argc, argv, &arguments);
	if (!arguments.alert && !arguments.detector && !arguments.actor && !arguments.key)
		usage_error(settings, "say what: ID, --detector, --actor or --key");
	if (!arguments.seconds || !arguments.reason)
		usage_error(settings, "say for how long and why: --for TIME --reason TEXT");
	return mute(&arguments);
}

/* --- unmute -------------------------------------------------------------------------------------
 */

static void print_unmuted(const struct settings *settings, const json_t *answer)
{
	(void)settings;
	printf("mute %s has ended\n", field_text(answer, "removed"));
}

int alerts_unmute_run(struct settings *settings, int argc, char **argv)
{
	_cleanup_free_ char *url = text_format("/v1/mutes");
	struct subject subject = {.words_max = 1};
	struct argp unmute = subject_argp;

	unmute.args_doc = "ID";
	unmute.doc = "Ends a mute, whose id segctl alerts mutes lists: its alerts are told again.";
	settings_parse(settings, &unmute, OUTPUT_TABLE | OUTPUT_JSON, argc, argv, &subject);
	if (!subject.name)
		usage_error(settings, "say which: ID, as segctl alerts mutes lists it");
	url_segment(&url, subject.name);
	return change_run(settings, "DELETE", url, NULL, print_unmuted);
}

/* --- mutes --------------------------------------------------------------------------------------
 */

static const struct table_column columns[] = {
	{"ID", 0},
	{"DETECTOR", 0},
	{"ACTOR", TABLE_SHRINK},
	{"KEY", TABLE_SHRINK},
	{"UNTIL", 0},
	{"BY", 0},
	{"REASON", TABLE_NOTE},
	{0},
};

static void add_row(struct table *table, const struct settings *settings, const json_t *mute)
{
	static const char *const narrowed[] = {"detector", "actor", "key"};

	table_row(table);
	table_cell_text(table, TABLE_PLAIN, field_text(mute, "id"));
	for (size_t i = 0; i < ARRAY_SIZE(narrowed); i++) {
		const char *text = field_text(mute, narrowed[i]);

		table_cell_text(table, TABLE_PLAIN, *text ? text : "any");
	}
	table_cell(table, TABLE_PLAIN, clock_format_cell(settings, field_text(mute, "until")));
	table_cell_text(table, TABLE_PLAIN, field_text(mute, "user"));
	table_cell_text(table, TABLE_PLAIN, field_text(mute, "reason"));
}

int alerts_mutes_run(struct settings *settings, int argc, char **argv)
{
	static const struct argp list = {
		.doc = "Lists what is muted, until when, by whom and why."};
	_cleanup_client_ struct client *client = NULL;
	_cleanup_table_ struct table *table = NULL;
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_json_ json_t *answer = NULL;
	const json_t *mutes, *item;
	size_t i;

	settings_parse(settings, &list, OUTPUT_TABLE | OUTPUT_WIDE | OUTPUT_JSON, argc, argv, NULL);
	client = client_new(settings->socket_path);
	if (client_get(client, "/v1/mutes", &answer, &error) < 0)
		return report(settings, &error);
	mutes = json_object_get(answer, "mutes");
	if (settings->output == OUTPUT_JSON) {
		output_json(answer);
		return EXIT_YES;
	}
	if (!json_array_size(mutes)) {
		puts("nothing is muted");
		return EXIT_YES;
	}
	table = table_new(settings, columns);
	json_array_foreach (mutes, i, item) {
		add_row(table, settings, item);
	}
	table_print(table);
	return EXIT_YES;
}
