/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl alerts [list]: what was found, the latest last. */
#include "alert_table.h"
#include "alert_text.h"
#include "client.h"
#include "clock.h"
#include "command.h"
#include "output.h"
#include "record.h"
#include "text.h"
#include "url.h"

#include <string.h>

#define KEY(place) (0x700 + (place))

struct arguments {
	char *url;
	bool follow;
	bool filtered;
	bool all;
};

static const struct argp_option options[] = {
	{"detector", KEY(0), "NAME", 0, "Only of this detector", 1},
	{"severity", KEY(1), "LEVEL", 0, "low, medium, high or critical, and above", 1},
	{"actor", KEY(2), "WORKLOAD|IP", 0, "Who does it", 1},
	{"target", KEY(3), "WORKLOAD|IP", 0, "To whom", 1},
	{"technique", KEY(4), "ID", 0, "Of MITRE ATT&CK, as T1046", 1},
	{"incident", KEY(5), "ID", 0, "Of one story", 1},
	{"since", KEY(6), "TIME", 0, "10s, 5m, 2h, 1d ago, or RFC 3339", 1},
	{"until", KEY(7), "TIME", 0, "Likewise", 1},
	{"limit", KEY(8), "NUMBER", 0, "No more than the newest so many", 1},
	{"all", 'a', NULL, 0, "Also those that are acknowledged or muted", 2},
	{"follow", 'f', NULL, 0, "Go on with what is found from now, until interrupted", 2},
	{0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	if (key == 'f') {
		arguments->follow = true;
		return 0;
	}
	if (key == 'a') {
		arguments->all = true;
		return 0;
	}
	for (const struct argp_option *option = options; option->doc; option++)
		if (option->key == key) {
			url_query(&arguments->url, option->name, argument);
			arguments->filtered = true;
			return 0;
		}
	return ARGP_ERR_UNKNOWN;
}

/* Who asks for the group's help is answered here. */
static char *describe(void)
{
	_cleanup_free_ char *commands = command_group_list(&alerts_group);

	return text_format(
		"Lists what detectors found and nobody has acknowledged or muted, the latest "
		"last.\n\n%s\vWhat is behind one: segctl alerts show ID; its flows: segctl flows "
		"--alert ID.",
		commands);
}

static int list(const struct settings *settings, const struct arguments *arguments)
{
	_cleanup_client_ struct client *client = client_new(settings->socket_path);
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_json_ json_t *answer = NULL;
	const json_t *alerts, *alert;
	size_t i;

	if (client_get(client, arguments->url, &answer, &error) < 0)
		return report(settings, &error);
	alerts = json_object_get(answer, "alerts");
	if (settings->output == OUTPUT_JSON)
		output_json(answer);
	else if (settings->output == OUTPUT_JSONL)
		json_array_foreach (alerts, i, alert) {
			output_json_line(alert);
		}
	else if (json_array_size(alerts))
		alert_table_print(settings, alerts);
	else
		puts(arguments->filtered ? "no alerts match these filters" : "no alerts");
	return EXIT_YES;
}

/* --- following ----------------------------------------------------------------------------------
 */

static void print_alert(const struct settings *settings, const json_t *alert)
{
	static const char *const colors[] = {[TABLE_PLAIN] = "",
		[TABLE_GOOD] = "\033[32m",
		[TABLE_WARNING] = "\033[33m",
		[TABLE_BAD] = "\033[31m"};
	const char *severity = field_text(alert, "severity");
	const char *color = settings->color ? colors[alert_color(severity)] : "";
	_cleanup_free_ char *time = clock_format_moment(settings, field_text(alert, "last"));

	printf("%s  %s  %s%-8s%s  ", time, field_text(alert, "id"), color, severity,
		*color ? "\033[0m" : "");
	output_text(field_text(alert, "detector"));
	fputs(settings->width ? "\n    " : "  ", stdout);
	output_text(field_text(alert, "sentence"));
	putchar('\n');
}

static void print_line(const char *line, size_t length, void *userdata)
{
	const struct settings *settings = userdata;
	_cleanup_json_ json_t *alert = NULL;

	alert = json_loadb(line, length, 0, NULL);
	if (alert && settings->output & (OUTPUT_JSON | OUTPUT_JSONL))
		output_json_line(alert);
	else if (json_object_get(alert, "id"))
		print_alert(settings, alert);
	output_flush();
}

static int follow(const struct settings *settings, struct arguments *arguments)
{
	_cleanup_client_ struct client *client = client_new(settings->socket_path);
	_cleanup_error_ struct error error = ERROR_INIT;

	url_query(&arguments->url, "follow", "1");
	client_follow(client, arguments->url, print_line, (void *)settings, &error);
	return report(settings, &error);
}

int alerts_list_run(struct settings *settings, int argc, char **argv)
{
	_cleanup_free_ char *doc = describe();
	const struct argp argp = {.options = options, .parser = parse, .doc = doc};
	struct arguments arguments = {.url = text_format("/v1/alerts")};
	int code;

	settings_parse(settings, &argp, OUTPUT_TABLE | OUTPUT_WIDE | OUTPUT_JSON | OUTPUT_JSONL,
		argc, argv, &arguments);
	if (!arguments.all && !arguments.follow) {
		url_query(&arguments.url, "acknowledged", "0");
		url_query(&arguments.url, "muted", "0");
	}
	code = arguments.follow ? follow(settings, &arguments) : list(settings, &arguments);
	free(arguments.url);
	return code;
}
