/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl policy matrix: every pair of workloads, in files or with the agent, judged by the
 * reference evaluator. */
#include "client.h"
#include "command.h"
#include "matrix_table.h"
#include "output.h"
#include "probe.h"
#include "text.h"

#include <errno.h>
#include <string.h>

enum {
	KEY_PROBE = 0x400,
	KEY_EXTERNAL,
	KEY_HOST,
};

struct arguments {
	struct offline_options offline;
	struct settings *settings;
	struct probe *probes;
	size_t probes_count;
	const char **external;
	size_t external_count;
	bool host;
};

static const struct argp_option options[] = {
	{"probe", KEY_PROBE, "PROTOCOL/PORT[,…]", 0,
		"What to try, e.g. TCP/80,UDP/53,TCP/http; a name is resolved on each destination",
		1},
	{"external", KEY_EXTERNAL, "IP[,…]", 0, "Addresses outside to try from and to", 1},
	{"host", KEY_HOST, "IP[,…]", OPTION_ARG_OPTIONAL,
		"Try from and to the node itself, too; it has these addresses, or those of the "
		"agent's node",
		1},
	{0},
};

static void add_probes(struct arguments *arguments, char *list)
{
	char *rest = NULL;

	for (char *word = strtok_r(list, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		arguments->probes = must(reallocarray(arguments->probes,
			arguments->probes_count + 1, sizeof(*arguments->probes)));
		arguments->probes[arguments->probes_count++] =
			probe_parse(arguments->settings, word);
	}
}

static void add_external(struct arguments *arguments, char *list)
{
	char *rest = NULL;
	struct address address;

	for (char *word = strtok_r(list, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		if (address_parse(word, &address) < 0)
			usage_error(arguments->settings, "'%s' is no IP address", word);
		arguments->external = must(reallocarray(arguments->external,
			arguments->external_count + 1, sizeof(*arguments->external)));
		arguments->external[arguments->external_count++] = word;
	}
}

static void add_host(struct arguments *arguments, char *list)
{
	struct offline_options *offline = &arguments->offline;
	char *rest = NULL;
	struct address address;

	arguments->host = true;
	for (char *word = list ? strtok_r(list, ",", &rest) : NULL; word;
		word = strtok_r(NULL, ",", &rest)) {
		if (address_parse(word, &address) < 0)
			usage_error(arguments->settings, "'%s' is no IP address", word);
		offline->host_addresses = must(reallocarray(offline->host_addresses,
			offline->host_addresses_count + 1, sizeof(address)));
		offline->host_addresses[offline->host_addresses_count++] = address;
	}
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->offline;
		return 0;
	case KEY_PROBE:
		add_probes(arguments, argument);
		return 0;
	case KEY_EXTERNAL:
		add_external(arguments, argument);
		return 0;
	case KEY_HOST:
		add_host(arguments, argument);
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
	.doc = "Says for every pair of Pods in the files, or of the agent's workloads, whether policies "
	       "let the one connect to the other. With files it needs neither an agent nor root.",
};

/* All pods, then the node, then the addresses outside. */
static struct offline_end *collect_ends(const struct settings *settings,
	const struct arguments *arguments, const struct offline *offline, size_t *ret_count)
{
	size_t pods = offline->model->workloads_count, count = 0;
	struct offline_end *ends =
		must(calloc(pods + arguments->external_count + 2, sizeof(*ends)));

	for (size_t i = 0; i < pods; i++) {
		const struct model_workload *workload = &offline->model->workloads[i];

		ends[count].workload = workload;
		ends[count++].full_name = text_format("%s/%s", workload->namespace, workload->name);
	}
	if (arguments->host)
		ends[count++] = (struct offline_end){
			.node = offline->model, .full_name = text_format("host")};
	for (size_t i = 0; i < arguments->external_count; i++) {
		struct offline_end *end = &ends[count];

		offline_find(settings, offline, arguments->external[i], end);
		/* A pod's own address is no outside: the pod is there already. */
		if (!end->workload)
			count++;
		else
			free(end->full_name);
	}
	*ret_count = count;
	return ends;
}

static void print_result(const struct probe_result *result, const struct offline_end *from,
	const struct offline_end *to, bool ipv4, bool *first)
{
	_cleanup_json_ json_t *json = probe_result_to_json(result, from, to, ipv4);

	fputs(*first ? "\n" : ",\n", stdout);
	*first = false;
	json_dumpf(json, stdout, JSON_ENSURE_ASCII);
}

/* Result by result: a thousand pods make a million of them, too many to hold. */
static void print_probe(const struct offline *offline, const struct probe *probe,
	const struct offline_end *ends, size_t ends_count)
{
	_cleanup_json_ json_t *port = must(json_string(probe->port));
	struct probe_result result;
	bool first = true;

	printf("{\"protocol\": \"%s\", \"port\": ", probe->protocol_name);
	json_dumpf(port, stdout, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	fputs(", \"results\": [", stdout);
	for (size_t i = 0; i < ends_count; i++)
		for (size_t j = 0; j < ends_count; j++)
			for (int ipv4 = 1; ipv4 >= 0; ipv4--)
				if (offline_is_judged(&ends[i], &ends[j]) &&
					probe_judge(
						probe, offline, &ends[i], &ends[j], ipv4, &result))
					print_result(&result, &ends[i], &ends[j], ipv4, &first);
	fputs("]}", stdout);
}

static void print_matrix(const struct settings *settings, const struct arguments *arguments,
	const struct offline *offline, const struct offline_end *ends, size_t ends_count)
{
	if (settings->output == OUTPUT_TABLE) {
		for (size_t i = 0; i < arguments->probes_count; i++)
			matrix_table_print(
				settings, offline, &arguments->probes[i], ends, ends_count);
		matrix_table_legend();
		return;
	}
	fputs("{\"probes\": [", stdout);
	for (size_t i = 0; i < arguments->probes_count; i++) {
		fputs(i ? ",\n" : "", stdout);
		print_probe(offline, &arguments->probes[i], ends, ends_count);
	}
	puts("]}");
}

static int run(struct settings *settings, const struct arguments *arguments)
{
	_cleanup_offline_ struct offline offline = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	struct offline_end *ends;
	size_t ends_count;
	int code = offline_load(settings, &arguments->offline, &offline);

	if (code != EXIT_YES)
		return code;
	if (!offline.model->workloads_count) {
		error_set(&error, -ENOENT,
			arguments->offline.agent
				? "the agent knows no workloads"
				: "the files hold no Pods; give their manifests by -f as well");
		return report(settings, &error);
	}
	if (arguments->host && !offline.model->host_addresses_count)
		usage_error(settings,
			"without an agent, say by --host=IP[,…] what addresses the node has");
	ends = collect_ends(settings, arguments, &offline, &ends_count);
	print_matrix(settings, arguments, &offline, ends, ends_count);
	for (size_t i = 0; i < ends_count; i++)
		free(ends[i].full_name);
	free(ends);
	return EXIT_YES;
}

int policy_matrix_run(struct settings *settings, int argc, char **argv)
{
	struct arguments arguments = {.settings = settings, .offline.settings = settings};
	int code;

	settings_parse(settings, &argp, OUTPUT_TABLE | OUTPUT_JSON, argc, argv, &arguments);
	if (!arguments.probes_count)
		usage_error(settings, "say by --probe what to try, e.g. --probe TCP/80,UDP/53");
	code = run(settings, &arguments);
	for (size_t i = 0; i < arguments.probes_count; i++)
		probe_clear(&arguments.probes[i]);
	free(arguments.probes);
	free(arguments.external);
	free(arguments.offline.host_addresses);
	sources_clear(&arguments.offline.sources);
	return code;
}
