/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "filter.h"

#include "clock.h"
#include "flow/timestamp.h"
#include "text.h"
#include "url.h"

#include <string.h>

/* Keys of long options without a letter: their place in the table, behind all letters. */
#define KEY(place) (0x200 + (place))

static const struct argp_option options[] = {
	{NULL, 0, NULL, 0, "Only what matches all of these:", 1},
	{"from", KEY(1), "WORKLOAD|IP", 0, "Who opens the connection", 1},
	{"to", KEY(2), "WORKLOAD|IP", 0, "Who is called", 1},
	{"workload", 'w', "NAME", 0, "Either end: name or namespace/name", 1},
	{"namespace", 'n', "NAME", 0, "Either end's namespace", 1},
	{"label", 'l', "KEY=VALUE", 0, "Either end's label", 1},
	{"cidr", KEY(6), "CIDR", 0, "Either end's address", 1},
	{"port", 'p', "NUMBER", 0, "Destination port", 1},
	{"protocol", KEY(8), "NAME", 0, "tcp, udp, sctp, icmp, icmpv6", 1},
	{"verdict", KEY(9), "VERDICT", 0, "allowed, denied or audited", 1},
	{"reason", KEY(10), "REASON", 0, "As in -o json, e.g. spoofed_source", 1},
	{"rule", KEY(11), "POLICY", 0, "Decided by this policy", 1},
	{"since", KEY(12), "TIME", 0, "10s, 5m, 2h, 1d ago, or RFC 3339", 1},
	{"until", KEY(13), "TIME", 0, "Likewise", 1},
	{"limit", KEY(14), "NUMBER", 0, "No more than the newest so many", 1},
	{"dns-name", KEY(15), "NAME", 0, "Either end by DNS, also *.example.org", 1},
	{0},
};

static const struct argp_option options_of_records[] = {
	{"id", KEY(16), "ID", 0, "Records of this connection or refusal", 1},
	{0},
};

static const struct argp_option options_of_flows[] = {
	{"alert", KEY(17), "ID", 0, "What an alert of this agent stands on", 1},
	{0},
};

void filter_add(struct filter *filter, const char *key, const char *value)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	/* What it stands on, only the agent knows. */
	filter->asks_agent |= strcmp(key, "alert") == 0;
	filter->of_one |= strcmp(key, "id") == 0;
	/* The agent would say the same; but not everybody asks one. */
	if (strcmp(key, "alert") != 0 &&
		flow_filter_set(&filter->flow_filter, key, value, &error) < 0)
		usage_error(filter->settings, "--%s", error_message(&error));
	url_query(&filter->url, key, value);
	if (strcmp(key, "since") == 0) {
		filter->since = value;
		return;
	}
	if (strcmp(key, "until") == 0) {
		filter->until = value;
		return;
	}
	url_query(&filter->url_of_any_time, key, value);
	if (strcmp(key, "limit") == 0)
		filter->limit = strtoull(value, NULL, 10);
	else
		filter->narrowed = true;
}

static error_t add_option(
	struct filter *filter, const struct argp_option *option, int key, const char *argument)
{
	for (; option->doc; option++) {
		if (!option->name || option->key != key)
			continue;
		filter_add(filter, option->name, argument);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	if (key != ARGP_KEY_ARG)
		return add_option(state->input, options, key, argument);
	filter_add(state->input, "workload", argument);
	return 0;
}

static error_t parse_of_records(int key, char *argument, struct argp_state *state)
{
	if (key != ARGP_KEY_INIT)
		return add_option(state->input, options_of_records, key, argument);
	state->child_inputs[0] = state->input;
	return 0;
}

static error_t parse_of_flows(int key, char *argument, struct argp_state *state)
{
	if (key != ARGP_KEY_INIT)
		return add_option(state->input, options_of_flows, key, argument);
	state->child_inputs[0] = state->input;
	return 0;
}

const struct argp filter_argp = {.options = options, .parser = parse, .args_doc = "[WORKLOAD]"};

static const struct argp_child children_of_records[] = {{&filter_argp, 0, NULL, 0}, {0}};
const struct argp filter_records_argp = {
	.options = options_of_records, .parser = parse_of_records, .children = children_of_records};

static const struct argp_child children_of_flows[] = {{&filter_records_argp, 0, NULL, 0}, {0}};
const struct argp filter_flows_argp = {
	.options = options_of_flows, .parser = parse_of_flows, .children = children_of_flows};

void filter_init(struct filter *filter, const struct settings *settings, const char *path)
{
	*filter = (struct filter){.settings = settings,
		.url = text_format("%s", path),
		.url_of_any_time = text_format("%s", path)};
}

void filter_clear(struct filter *filter)
{
	free(filter->url);
	free(filter->url_of_any_time);
	flow_filter_free(filter->flow_filter);
}

static char *moment(const struct settings *settings, const char *time)
{
	char text[TIMESTAMP_LENGTH + 1];
	uint64_t time_ns;

	if (timestamp_parse(time, timestamp_now_ns(), &time_ns) < 0)
		return text_format("%s", time);
	return clock_format_moment(settings, timestamp_format(time_ns, text));
}

char *filter_time(const struct filter *filter)
{
	_cleanup_free_ char *since = filter->since ? moment(filter->settings, filter->since) : NULL;
	_cleanup_free_ char *until = filter->until ? moment(filter->settings, filter->until) : NULL;

	return text_format("%s%s%s%s", since ? " since " : "", since ? since : "",
		until ? " until " : "", until ? until : "");
}
