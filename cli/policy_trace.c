/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl policy trace: one connection, the rules that decide it, and the rule that nearly would. */
#include "client.h"
#include "command.h"
#include "output.h"
#include "policies/suggest.h"
#include "probe.h"
#include "text.h"
#include "trace_near_miss.h"

#include <errno.h>
#include <string.h>

enum {
	KEY_FROM = 0x500,
	KEY_TO,
	KEY_PORT,
};

struct arguments {
	struct offline_options offline;
	const char *from, *to, *port;
};

static const struct argp_option options[] = {
	{"from", KEY_FROM, "POD|IP", 0, "Who connects: namespace/name, name or address", 1},
	{"to", KEY_TO, "POD|IP", 0, "To whom", 1},
	{"port", KEY_PORT, "PROTOCOL/PORT", 0, "With what, e.g. TCP/80 or TCP/http", 1},
	{0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->offline;
		return 0;
	case KEY_FROM:
		arguments->from = argument;
		return 0;
	case KEY_TO:
		arguments->to = argument;
		return 0;
	case KEY_PORT:
		arguments->port = argument;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {{&offline_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.doc = "Judges one connection and names the rule that decides in each direction; where one "
	       "denies, also the rule that came closest to allowing it, and what it lacked. With "
	       "files needs neither an agent nor root, without asks the running agent. Exit status "
	       "0: allowed, 1: denied or unresolved.",
};

struct trace {
	const struct offline *offline;
	struct probe probe;
	struct offline_end from;
	struct offline_end to;
};

static const struct ir_rule *rule_of(const struct trace *trace, const struct decision *decision)
{
	return &trace->offline->ir->rules[decision->rule];
}

static const struct decision *decision_of(
	const struct probe_result *result, enum direction direction)
{
	return direction == DIRECTION_EGRESS ? &result->evaluation.egress
					     : &result->evaluation.ingress;
}

static const char *verdict_word(const struct decision *decision)
{
	if (decision->flags & DECISION_AUDIT)
		return "allowed, but a policy in audit mode would deny it";
	return decision->verdict == VERDICT_ALLOW ? "allowed" : "denied";
}

/* False: this direction refuses nothing. */
static bool find_near_miss(const struct trace *trace, const struct probe_result *result,
	enum direction direction, struct near_miss *ret)
{
	const struct offline *offline = trace->offline;
	int r = near_miss_find(&offline->documents, offline->model, offline->ir, &result->query,
		&result->evaluation, direction, ret);

	if (r == -ENOMEM)
		must(NULL);
	return r == 0;
}

static void print_decision(const struct trace *trace, const struct probe_result *result,
	enum direction direction, const char *whose)
{
	const struct decision *decision = decision_of(result, direction);
	struct near_miss near_miss;
	const struct ir_rule *rule = rule_of(trace, decision);
	char text[512];

	printf("  %s of %s: %s\n", direction_name(direction), whose, verdict_word(decision));
	printf("    %s", ir_rule_format(rule, text, sizeof(text)));
	if (rule->document)
		printf(", %s tier\n    %s:%u", tier_name(rule->tier), rule->document->file,
			rule->line);
	putchar('\n');
	if (find_near_miss(trace, result, direction, &near_miss)) {
		trace_near_miss_print(&near_miss, 4);
		near_miss_clear(&near_miss);
	}
}

/* A name that the destination does have, if it looks like a slip. */
static void print_unresolved(const struct trace *trace)
{
	const struct model_workload *workload = trace->to.workload;
	const char *near = NULL;

	for (size_t i = 0; !near && workload && i < workload->ports_count; i++)
		if (workload->ports[i].protocol == trace->probe.protocol)
			near = suggest(trace->probe.port,
				(const char *const[]){workload->ports[i].name}, 1);
	printf("  %s has no %s port named '%s'", trace->to.full_name, trace->probe.protocol_name,
		trace->probe.port);
	if (near)
		printf("; did you mean '%s'?", near);
	putchar('\n');
}

static void print_result(const struct settings *settings, const struct trace *trace,
	const struct probe_result *result)
{
	const struct evaluation *evaluation = &result->evaluation;
	char source[ADDRESS_TEXT_MAX], destination[ADDRESS_TEXT_MAX];
	bool allowed = !result->unresolved && evaluation->verdict == VERDICT_ALLOW;

	printf("%s/%s from %s (%s) to %s (%s): %s%s%s\n", trace->probe.protocol_name,
		trace->probe.port, trace->from.full_name,
		address_format(&result->query.source, source), trace->to.full_name,
		address_format(&result->query.destination, destination),
		settings->color ? (allowed ? "\033[32m" : "\033[31m") : "",
		result->unresolved ? "unresolved"
		: allowed          ? "allowed"
				   : "denied",
		settings->color ? "\033[0m" : "");
	if (result->unresolved) {
		print_unresolved(trace);
		return;
	}
	print_decision(trace, result, DIRECTION_EGRESS, trace->from.full_name);
	print_decision(trace, result, DIRECTION_INGRESS, trace->to.full_name);
}

static json_t *decision_to_json(
	const struct trace *trace, const struct probe_result *result, enum direction direction)
{
	const struct decision *decision = decision_of(result, direction);
	struct near_miss near_miss;
	const struct ir_rule *rule = rule_of(trace, decision);
	const struct document *document = rule->document;
	char text[512];
	json_t *json = must(json_pack("{s:s, s:s, s:s, s:b}", "verdict",
		verdict_name(decision->verdict), "tier", tier_name(rule->tier), "rule",
		ir_rule_format(rule, text, sizeof(text)), "audit",
		(int)!!(decision->flags & DECISION_AUDIT)));

	if (document)
		json_object_update_new(
			json, json_pack("{s:s, s:s, s:s, s:s, s:i}", "kind",
				      document_kind_name(document->kind), "namespace",
				      document->namespace, "name", document->name, "file",
				      document->file, "line", (int)rule->line));
	if (find_near_miss(trace, result, direction, &near_miss)) {
		json_object_set_new(json, "nearest", trace_near_miss_to_json(&near_miss));
		near_miss_clear(&near_miss);
	}
	return json;
}

static json_t *to_json(const struct trace *trace, const struct probe_result *result, bool ipv4)
{
	json_t *json = probe_result_to_json(result, &trace->from, &trace->to, ipv4);

	if (result->unresolved)
		return json;
	json_object_set_new(json, "egress", decision_to_json(trace, result, DIRECTION_EGRESS));
	json_object_set_new(json, "ingress", decision_to_json(trace, result, DIRECTION_INGRESS));
	return json;
}

/* In each family that both ends have. Allowed means allowed in all of them. */
static int judge(const struct settings *settings, const struct trace *trace)
{
	_cleanup_json_ json_t *results = must(json_array());
	_cleanup_json_ json_t *answer = NULL;
	struct probe_result result;
	int code = EXIT_YES;
	size_t judged = 0;

	for (int ipv4 = 1; ipv4 >= 0; ipv4--) {
		if (!probe_judge(
			    &trace->probe, trace->offline, &trace->from, &trace->to, ipv4, &result))
			continue;
		judged++;
		if (result.unresolved || result.evaluation.verdict != VERDICT_ALLOW)
			code = EXIT_NO;
		if (settings->output == OUTPUT_TABLE)
			print_result(settings, trace, &result);
		else
			json_array_append_new(results, to_json(trace, &result, ipv4));
	}
	if (!judged) {
		fprintf(stderr, "%s: %s and %s have no address family in common for %s\n",
			settings->program, trace->from.full_name, trace->to.full_name,
			trace->probe.protocol_name);
		return EXIT_NO;
	}
	if (settings->output == OUTPUT_JSON) {
		answer = must(json_pack("{s:s, s:s, s:O}", "protocol", trace->probe.protocol_name,
			"port", trace->probe.port, "results", results));
		output_json(answer);
	}
	return code;
}

int policy_trace_run(struct settings *settings, int argc, char **argv)
{
	_cleanup_offline_ struct offline offline = {0};
	struct arguments arguments = {.offline.settings = settings};
	struct trace trace = {.offline = &offline};
	int code;

	settings_parse(settings, &argp, OUTPUT_TABLE | OUTPUT_JSON, argc, argv, &arguments);
	if (!arguments.from || !arguments.to || !arguments.port)
		usage_error(settings, "--from, --to and --port are needed");
	trace.probe = probe_parse(settings, arguments.port);
	code = offline_load(settings, &arguments.offline, &offline);
	if (code == EXIT_YES) {
		offline_find(settings, &offline, arguments.from, &trace.from);
		offline_find(settings, &offline, arguments.to, &trace.to);
		code = judge(settings, &trace);
	}
	free(trace.from.full_name);
	free(trace.to.full_name);
	probe_clear(&trace.probe);
	sources_clear(&arguments.offline.sources);
	return code;
}
