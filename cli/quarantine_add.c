/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl quarantine add: cuts a workload off. */
#include "change.h"
#include "client.h"
#include "clock.h"
#include "command.h"
#include "output.h"
#include "policies/ports.h"
#include "policies/selector.h"
#include "record.h"
#include "text.h"

#include <string.h>

#define SECONDS_MAX (366UL * 24 * 60 * 60)

enum {
	KEY_FOR = 0x600,
	KEY_ALLOW,
	KEY_ALLOW_WORKLOAD,
	KEY_AUTOMATIC,
};

struct arguments {
	const struct settings *settings;
	const char *workload;
	const char *reason;
	unsigned long seconds; /* 0: until it is removed */
	json_t *allow;
	bool automatic;
};

static const struct argp_option options[] = {
	{"reason", 'r', "TEXT", 0, "Why; it is shown wherever its packets are refused", 1},
	{"for", KEY_FOR, "TIME", 0, "End by itself after 30m, 2h, 7d, …", 1},
	{"allow", KEY_ALLOW, "CIDR[:PORT]|host[:PORT]", 0,
		"Who may still reach it, as in 192.0.2.7:tcp/22; repeatable", 1},
	{"allow-workload", KEY_ALLOW_WORKLOAD, "SELECTOR[:PORT]", 0,
		"The same by labels, in any namespace; repeatable", 1},
	{"automatic", KEY_AUTOMATIC, NULL, 0,
		"A program asks: count against what segd allows detectors", 1},
	{0},
};

/* Cuts ":tcp/22" off the end. NULL: there is none. IPv6 addresses have colons, too, but nothing
 * that begins with a protocol. */
static json_t *cut_port(char *text)
{
	char *colon = strrchr(text, ':');
	_cleanup_free_ char *problem = NULL;
	struct policy_port port = {0};

	if (!colon || port_parse(colon + 1, &port, &problem) < 0)
		return NULL;
	free(port.name);
	*colon = '\0';
	return must(json_pack("[s]", colon + 1));
}

static json_t *parse_address(const struct settings *settings, const char *text)
{
	char canonical[PREFIX_TEXT_MAX];
	struct prefix prefix = {.length = 128};

	if (strcmp(text, "host") == 0)
		return must(json_pack("{s:s}", "entity", "host"));
	if ((strchr(text, '/') ? prefix_parse(text, &prefix)
			       : address_parse(text, &prefix.address)) < 0)
		usage_error(settings,
			"--allow: '%s' is no address, CIDR or host, with ':tcp/22' or such behind "
			"it or not",
			text);
	return must(json_pack("{s:s}", "cidr", prefix_format(&prefix, canonical)));
}

static json_t *parse_selector(const struct settings *settings, const char *text)
{
	_cleanup_free_ char *problem = NULL;
	struct selector selector = {0};
	size_t offset;

	if (selector_parse(text, &selector, &problem, &offset) < 0)
		usage_error(settings, "--allow-workload: '%s': %s", text,
			problem ? problem : "out of memory");
	selector_clear(&selector);
	return must(json_pack("{s:s, s:s}", "workloads", text, "namespaces", "*"));
}

static void add_allowed(struct arguments *arguments, const char *argument, bool workload)
{
	_cleanup_free_ char *text = text_format("%s", argument);
	_cleanup_json_ json_t *ports = cut_port(text), *peer = NULL;

	peer = workload ? parse_selector(arguments->settings, text)
			: parse_address(arguments->settings, text);
	json_array_append_new(
		arguments->allow, must(json_pack("{s:[O], s:O*}", "from", peer, "ports", ports)));
}

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
			usage_error(arguments->settings, "--for: '%s' is no time from 1s to 366d",
				argument);
		return 0;
	case KEY_ALLOW:
	case KEY_ALLOW_WORKLOAD:
		add_allowed(arguments, argument, key == KEY_ALLOW_WORKLOAD);
		return 0;
	case KEY_AUTOMATIC:
		arguments->automatic = true;
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->workload)
			return ARGP_ERR_UNKNOWN;
		arguments->workload = argument;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "WORKLOAD",
	.doc = "Cuts a workload off in both directions, whatever policies say, running connections "
	       "too. When it returns, the next packet is refused. A quarantine that the workload has "
	       "is replaced. namespace/NAME may be one that does not run yet.",
};

static void print_outcome(const struct settings *settings, const json_t *answer)
{
	const json_t *quarantine = json_object_get(answer, "quarantine");
	_cleanup_free_ char *name = record_name(quarantine);
	_cleanup_free_ char *until = clock_format(settings, field_text(quarantine, "until"));
	_cleanup_free_ char *took = clock_duration(field_number(answer, "milliseconds") / 1000);
	const char *state = field_text(quarantine, "state");

	output_text(name);
	if (strcmp(state, "isolated") == 0)
		printf(" is isolated, in %s", took);
	else if (strcmp(state, "waiting") == 0)
		printf(" does not run here; it will be isolated when it does");
	else
		printf(" is NOT isolated: nothing on this node can judge its packets");
	if (*field_text(quarantine, "until"))
		printf(", until %s", until);
	putchar('\n');
}

static int add(const struct arguments *arguments)
{
	_cleanup_json_ json_t *wish = must(
		json_pack("{s:s, s:s, s:I, s:O, s:s}", "workload", arguments->workload, "reason",
			arguments->reason, "seconds", (json_int_t)arguments->seconds, "allow",
			arguments->allow, "origin", arguments->automatic ? "detector" : "manual"));

	return change_run(arguments->settings, "POST", "/v1/quarantine", wish, print_outcome);
}

int quarantine_add_run(struct settings *settings, int argc, char **argv)
{
	_cleanup_json_ json_t *allow = must(json_array());
	struct arguments arguments = {.settings = settings, .allow = allow};

	settings_parse(settings, &argp, OUTPUT_TABLE | OUTPUT_JSON, argc, argv, &arguments);
	if (!arguments.workload || !arguments.reason)
		usage_error(settings, "say whom and why: WORKLOAD --reason TEXT");
	return add(&arguments);
}
