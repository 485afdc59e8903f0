/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl detect: the agent's detectors over recorded flows, without agent and without root. */
#include "alert_table.h"
#include "client.h"
#include "command.h"
#include "detect/alert_filter.h"
#include "detect/engine.h"
#include "detectors_table.h"
#include "listing_log.h"
#include "output.h"
#include "text.h"

#include <utlist.h>

struct arguments {
	const struct settings *settings;
	struct log_files files;
	const char *settings_path;
	struct alert_filter filter;
	bool list;
};

#define KEY(place) (0x780 + (place))

enum {
	KEY_SETTINGS = 0x7f0,
	KEY_LIST,
};

static const struct argp_option options[] = {
	{"read", 'r', "PATH", 0,
		"Flow logs (files, a directory, -) in the order of time; repeatable", 1},
	{"detect-settings", KEY_SETTINGS, "FILE", 0, "As segd takes it, to try what it would find",
		1},
	{"list", KEY_LIST, NULL, 0, "Say which detectors there are and how they are set", 1},
	{"severity", KEY(1), "LEVEL", 0, "low, medium, high or critical, and above", 2},
	{"detector", KEY(2), "NAME", 0, "Only of this detector", 2},
	{"actor", KEY(3), "WORKLOAD|IP", 0, "Who does it", 2},
	{0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct arguments *arguments = state->input;
	_cleanup_error_ struct error error = ERROR_INIT;

	switch (key) {
	case 'r':
		log_files_add(&arguments->files, argument);
		return 0;
	case KEY_SETTINGS:
		arguments->settings_path = argument;
		return 0;
	case KEY_LIST:
		arguments->list = true;
		return 0;
	default:
		break;
	}
	for (const struct argp_option *option = options; option->doc; option++) {
		if (option->key != key)
			continue;
		if (alert_filter_set(&arguments->filter, option->name, argument, &error) < 0)
			usage_error(arguments->settings, "--%s", error_message(&error));
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Runs the agent's detectors over recorded flows and lists what they find: the same that "
	       "the agent found, or would have found with other settings. A baseline is learnt from "
	       "these flows alone. Exit status 1: something was found, 2: wrong usage, or something "
	       "cannot be read, whatever the rest tells.",
};

static void on_record(json_t *record, void *userdata)
{
	engine_json(userdata, record);
}

static json_t *incidents_of(const struct alerts *alerts)
{
	json_t *incidents = must(json_array());
	const struct incident *incident;

	DL_FOREACH (alerts->incidents.by_age, incident)
		json_array_append_new(
			incidents, incident_to_json(&alerts->incidents, incident, alerts->now_ns));
	return incidents;
}

static void print(const struct settings *settings, const struct alerts *alerts, json_t *found)
{
	const json_t *alert;
	size_t i;

	if (settings->output == OUTPUT_JSON) {
		_cleanup_json_ json_t *answer = must(json_pack(
			"{s:O, s:o}", "alerts", found, "incidents", incidents_of(alerts)));

		output_json(answer);
	} else if (settings->output == OUTPUT_JSONL) {
		json_array_foreach (found, i, alert) {
			output_json_line(alert);
		}
	} else if (json_array_size(found)) {
		alert_table_print(settings, found);
	} else {
		puts("nothing was found");
	}
}

static int detect(const struct arguments *arguments, struct detect_settings *settings)
{
	const struct engine_options wanted = {.settings = settings};
	_cleanup_(engine_freep) struct engine *engine = NULL;
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_json_ json_t *found = NULL;
	int code;

	if (engine_new(&wanted, &engine, &error) < 0) {
		report(arguments->settings, &error);
		return EXIT_USAGE;
	}
	code = log_files_read(arguments->settings, &arguments->files, NULL, on_record, engine);
	found = must(alert_filter_list(&arguments->filter, engine_alerts(engine)));
	print(arguments->settings, engine_alerts(engine), found);
	if (code != EXIT_YES)
		return EXIT_USAGE;
	return json_array_size(found) ? EXIT_NO : EXIT_YES;
}

int detect_run(struct settings *settings, int argc, char **argv)
{
	struct arguments arguments = {.settings = settings};
	_cleanup_detect_settings_ struct detect_settings detect_settings = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	int code;

	alert_filter_init(&arguments.filter);
	settings_parse(settings, &argp, OUTPUT_TABLE | OUTPUT_WIDE | OUTPUT_JSON | OUTPUT_JSONL,
		argc, argv, &arguments);
	if (!arguments.files.count && !arguments.list)
		usage_error(settings, "say what to read: -r PATH");
	code = arguments.settings_path
		       ? detect_settings_load(&detect_settings, arguments.settings_path, &error)
		       : detect_settings_init(&detect_settings);
	if (code < 0) {
		report(settings, &error);
		code = EXIT_USAGE;
	} else if (arguments.list) {
		detectors_table_print(settings, &detect_settings);
	} else {
		code = detect(&arguments, &detect_settings);
	}
	log_files_clear(&arguments.files);
	alert_filter_clear(&arguments.filter);
	return code;
}
