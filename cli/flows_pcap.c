/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl flows --pcap: a capture read back through policy, and through the detectors. */
#include "alert_table.h"
#include "capture/replay.h"
#include "client.h"
#include "detect/alert_filter.h"
#include "detect/engine.h"
#include "filter.h"
#include "flows.h"
#include "lines.h"
#include "newest.h"
#include "offline.h"
#include "output.h"
#include "text.h"

#include <unistd.h>

#define NODE "pcap" /* in records: the capture does not say */

enum {
	KEY_PCAP = 0x7a0,
	KEY_DETECT,
	KEY_POSTURE,
	KEY_HOST,
};

struct arguments {
	const struct settings *settings;
	struct filter filter;
	struct offline_options offline;
	const char *path;
	bool detect;
};

static const struct argp_option options[] = {
	{"pcap", KEY_PCAP, "FILE", 0, "Packets: pcap or pcapng; '-' is standard input", 0},
	{"filename", 'f', "PATH", 0,
		"Pods, Namespaces and policies to judge by; repeatable. Without it the running "
		"agent's workloads and policies",
		0},
	{"posture", KEY_POSTURE, "allow|deny", 0,
		"What holds where no policy selects a pod (default allow)", 0},
	{"host", KEY_HOST, "IP", 0, "An address of the node itself; repeatable", 0},
	{"detect", KEY_DETECT, NULL, 0, "List what the detectors find, instead of flows", 0},
	{0},
};

static void add_host(struct arguments *arguments, const char *text)
{
	struct offline_options *offline = &arguments->offline;
	struct address address;

	if (address_parse(text, &address) < 0)
		usage_error(arguments->settings, "--host: '%s' is no IP address", text);
	offline->host_addresses = must(reallocarray(
		offline->host_addresses, offline->host_addresses_count + 1, sizeof(address)));
	offline->host_addresses[offline->host_addresses_count++] = address;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->filter;
		return 0;
	case KEY_PCAP:
		if (arguments->path)
			usage_error(arguments->settings, "--pcap is given once");
		arguments->path = argument;
		return 0;
	case 'f':
		sources_add(&arguments->offline.sources, argument);
		return 0;
	case KEY_POSTURE:
		arguments->offline.posture_given = true;
		arguments->offline.posture = offline_posture(arguments->settings, argument);
		return 0;
	case KEY_HOST:
		add_host(arguments, argument);
		return 0;
	case KEY_DETECT:
		arguments->detect = true;
		return 0;
	case ARGP_KEY_ARG:
		/* "-f *.yaml"; else it names a workload. */
		if (!arguments->offline.sources.count || access(argument, F_OK) < 0)
			return ARGP_ERR_UNKNOWN;
		sources_add(&arguments->offline.sources, argument);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {{&filter_records_argp, 0, NULL, 0}, {0}};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.doc = "Reads packets through policy: the flows that an agent would have seen, each with the "
	       "verdict, the reason and the rule that these policies give it. Neither agent nor root "
	       "is needed. Exit status with --detect as of 'segctl detect'.",
};

/* --- records ------------------------------------------------------------------------------------
 */

struct reading {
	const struct arguments *arguments;
	struct engine *engine; /* NULL: flows are listed */
	struct newest *newest; /* kept for the end; NULL: each is printed as it comes */
};

static void on_record(json_t *record, void *userdata)
{
	struct reading *reading = userdata;

	if (!flow_filter_matches(reading->arguments->filter.flow_filter, record))
		return;
	if (reading->engine)
		engine_json(reading->engine, record);
	else if (reading->newest)
		newest_add(reading->newest, record);
	else
		lines_print(reading->arguments->settings, record);
}

static void say_counts(const struct settings *settings, const struct replay_counts *counts)
{
	_cleanup_free_ char *packets = output_plural((double)counts->packets, "packet", "packets");

	fflush(stdout);
	fprintf(stderr, "%s: %s, %llu refused, %llu of nobody in the model\n", settings->program,
		packets, (unsigned long long)counts->refused,
		(unsigned long long)counts->unconcerned);
	if (counts->cut)
		fprintf(stderr, "%s: %llu packets were captured without all of their headers\n",
			settings->program, (unsigned long long)counts->cut);
	if (counts->evicted)
		fprintf(stderr, "%s: %llu connections were forgotten to make room for others\n",
			settings->program, (unsigned long long)counts->evicted);
}

/* Policies alone are no cluster: without its Pods each packet is of nobody, and nothing would be
 * found in any attack. */
static void check_concern(const struct arguments *arguments, const struct replay_counts *counts)
{
	if (!arguments->offline.agent && counts->packets && counts->unconcerned == counts->packets)
		usage_error(arguments->settings,
			"no packet is of a Pod in these files: give the cluster's Pods by -f, too");
}

static int replay(
	const struct arguments *arguments, const struct offline *offline, struct reading *reading)
{
	const struct replay_options wanted = {
		.ir = offline->ir,
		.model = offline->model,
		.node = NODE,
		.adoption_ns = REPLAY_ADOPTION_NS,
		.record = on_record,
		.userdata = reading,
	};
	_cleanup_error_ struct error error = ERROR_INIT;
	struct replay_counts counts = {0};
	int r = replay_file(arguments->path, &wanted, &counts, &error);

	if (r == 0 || counts.packets)
		say_counts(arguments->settings, &counts);
	if (r == 0)
		check_concern(arguments, &counts);
	return r < 0 ? report(arguments->settings, &error) : EXIT_YES;
}

static int list(const struct arguments *arguments, const struct offline *offline)
{
	struct reading reading = {.arguments = arguments};
	_cleanup_json_ json_t *answer = NULL;
	struct newest newest;
	int code;

	if (arguments->settings->output & LINES_OUTPUTS && !arguments->filter.limit) {
		lines_begin(arguments->settings);
		return replay(arguments, offline, &reading);
	}
	newest = newest_make(arguments->filter.limit);
	reading.newest = &newest;
	code = replay(arguments, offline, &reading);
	answer = must(json_pack("{s:o, s:i}", "flows", newest_take(&newest), "gaps", 0));
	listing_print(&flows_listing, &arguments->filter, answer);
	return code;
}

static int detect(const struct arguments *arguments, const struct offline *offline, bool *ret_found)
{
	_cleanup_detect_settings_ struct detect_settings settings = {0};
	_cleanup_(engine_freep) struct engine *engine = NULL;
	const struct engine_options wanted = {.settings = &settings};
	_cleanup_error_ struct error error = ERROR_INIT;
	struct reading reading = {.arguments = arguments};
	_cleanup_alert_filter_ struct alert_filter all;
	_cleanup_json_ json_t *found = NULL;
	int code;

	alert_filter_init(&all);
	if (detect_settings_init(&settings) < 0 || engine_new(&wanted, &engine, &error) < 0) {
		report(arguments->settings, &error);
		return EXIT_NO;
	}
	reading.engine = engine;
	code = replay(arguments, offline, &reading);
	found = must(alert_filter_list(&all, engine_alerts(engine)));
	if (arguments->settings->output == OUTPUT_JSON)
		output_json(found);
	else if (json_array_size(found))
		alert_table_print(arguments->settings, found);
	else
		puts("nothing was found");
	*ret_found = json_array_size(found) > 0;
	return code;
}

/* As segctl detect: 1 says that something was found, and nothing else. */
static int detect_code(int code, bool found)
{
	if (code == EXIT_NO)
		return EXIT_USAGE;
	return code == EXIT_YES && found ? EXIT_NO : code;
}

int flows_pcap_run(struct settings *settings, int argc, char **argv)
{
	struct arguments arguments = {.settings = settings, .offline.settings = settings};
	_cleanup_offline_ struct offline offline = {0};
	bool found = false;
	int code;

	filter_init(&arguments.filter, settings, flows_listing.path);
	settings_parse(settings, &argp, OUTPUT_TABLE | OUTPUT_WIDE | OUTPUT_JSON | LINES_OUTPUTS,
		argc, argv, &arguments);
	if (arguments.detect && arguments.filter.limit)
		usage_error(settings, "--limit is of flows, --detect lists alerts");
	if (arguments.detect && settings->output & LINES_OUTPUTS)
		usage_error(settings, "--detect has no such output: detect -r - reads flows");
	arguments.offline.agent = !arguments.offline.sources.count;
	code = offline_load(settings, &arguments.offline, &offline);
	if (code == EXIT_YES)
		code = arguments.detect ? detect(&arguments, &offline, &found)
					: list(&arguments, &offline);
	if (arguments.detect)
		code = detect_code(code, found);
	sources_clear(&arguments.offline.sources);
	free(arguments.offline.host_addresses);
	filter_clear(&arguments.filter);
	return code;
}
