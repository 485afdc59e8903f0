/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "offline.h"

#include "agent_model.h"
#include "policies/array.h"
#include "text.h"

#include <string.h>

enum {
	KEY_POSTURE = 0x300,
	KEY_AGENT,
};

static const struct argp_option offline_options[] = {
	{"agent", KEY_AGENT, NULL, 0,
		"Take workloads and policies of the running agent, with policies in files in their "
		"place; the default without -f",
		0},
	{"posture", KEY_POSTURE, "allow|deny", 0,
		"What holds where no policy selects a pod (default allow, or as the agent has it)",
		1},
	{0},
};

enum posture offline_posture(const struct settings *settings, const char *text)
{
	if (strcmp(text, "allow") == 0)
		return POSTURE_ALLOW;
	if (strcmp(text, "deny") == 0)
		return POSTURE_DENY;
	usage_error(settings, "--posture is allow or deny, not '%s'", text);
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct offline_options *offline = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &offline->sources;
		return 0;
	case KEY_AGENT:
		offline->agent = true;
		return 0;
	case ARGP_KEY_END:
		offline->agent |= !offline->sources.count;
		return 0;
	case KEY_POSTURE:
		offline->posture_given = true;
		offline->posture = offline_posture(offline->settings, argument);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {{&sources_argp, 0, NULL, 0}, {0}};

const struct argp offline_argp = {
	.options = offline_options, .parser = parse, .children = children};

/* Pods stand for workloads where there is no agent; the agent has the real ones. */
static int add_to_agent(
	const struct document_list *files, struct agent_model *agent, struct error *error)
{
	_cleanup_documents_ struct document_list added = {0};

	for (size_t i = 0; i < files->count; i++)
		if (files->items[i]->kind != DOCUMENT_POD)
			*(struct document **)must(array_append(added.items, added.count)) =
				document_reference(files->items[i]);
	if (documents_merge(&agent->documents, &added) < 0)
		return error_nomem(error);
	return documents_to_model(&added, agent->model, error);
}

static int ask_agent(const struct settings *settings, const struct document_list *files,
	struct agent_model *ret, struct error *error)
{
	_cleanup_client_ struct client *client = client_new(settings->socket_path);
	_cleanup_agent_model_ struct agent_model agent = {0};
	int r;

	if (!client)
		return error_nomem(error);
	r = agent_model_fetch(client, &agent, error);
	if (r == 0)
		r = add_to_agent(files, &agent, error);
	if (r < 0)
		return r;
	*ret = agent;
	agent = (struct agent_model){0};
	return 0;
}

int offline_resolve(const struct settings *settings, const struct offline_options *options,
	struct offline *offline, struct error *error)
{
	struct ir_options ir_options = {.posture = options->posture};
	struct agent_model agent = {0};
	int r;

	if (options->agent) {
		r = ask_agent(settings, &offline->documents, &agent, error);
		if (r < 0)
			return r;
		documents_clear(&offline->documents);
		offline->documents = agent.documents;
		offline->model = agent.model;
		ir_options = agent.options;
		if (options->posture_given)
			ir_options.posture = options->posture;
	} else {
		if (model_new(&offline->model) < 0)
			return error_nomem(error);
		r = documents_to_model(&offline->documents, offline->model, error);
	}
	for (size_t i = 0; r == 0 && i < options->host_addresses_count; i++)
		if (model_add_host_address(offline->model, &options->host_addresses[i]) < 0)
			r = error_nomem(error);
	if (r == 0)
		r = model_finish(offline->model, error);
	offline->options = ir_options;
	return r < 0 ? r
		     : ir_compile(&offline->documents, offline->model, &ir_options, &offline->ir,
			       error);
}

int offline_load(
	const struct settings *settings, const struct offline_options *options, struct offline *ret)
{
	_cleanup_offline_ struct offline offline = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	int code = EXIT_YES;

	if (options->sources.count)
		code = sources_load(
			settings, &options->sources, "nothing was judged", &offline.documents);
	if (code != EXIT_YES)
		return code;
	if (offline_resolve(settings, options, &offline, &error) < 0)
		return report(settings, &error);
	*ret = offline;
	offline = (struct offline){0};
	return EXIT_YES;
}

void offline_clear(struct offline *offline)
{
	ir_free(offline->ir);
	model_free(offline->model);
	documents_clear(&offline->documents);
}

void offline_find(const struct settings *settings, const struct offline *offline, const char *name,
	struct offline_end *ret)
{
	const char *slash = strchr(name, '/');
	_cleanup_free_ char *namespace = NULL;
	struct offline_end end = {.name = name};

	if (address_parse(name, &end.address) == 0) {
		end.workload = model_find_address(offline->model, &end.address);
	} else {
		namespace = slash ? must(strndup(name, (size_t)(slash - name)))
				  : text_format("%s", MODEL_NAMESPACE_DEFAULT);
		end.workload =
			model_find_workload(offline->model, namespace, slash ? slash + 1 : name);
		if (!end.workload)
			usage_error(settings,
				"there is no Pod '%s' in namespace '%s', and it is no IP address",
				slash ? slash + 1 : name, namespace);
	}
	end.full_name = end.workload
				? text_format("%s/%s", end.workload->namespace, end.workload->name)
				: text_format("%s", name);
	*ret = end;
}

bool offline_is_judged(const struct offline_end *from, const struct offline_end *to)
{
	return (from->workload || to->workload || from->node || to->node) &&
	       !(from->node && to->node);
}

static const struct address *first_of_family(
	const struct address *addresses, size_t count, bool ipv4)
{
	for (size_t i = 0; i < count; i++)
		if (address_is_ipv4(&addresses[i]) == ipv4)
			return &addresses[i];
	return NULL;
}

const struct address *offline_address(const struct offline_end *end, bool ipv4)
{
	if (end->workload)
		return first_of_family(
			end->workload->addresses, end->workload->addresses_count, ipv4);
	if (end->node)
		return first_of_family(
			end->node->host_addresses, end->node->host_addresses_count, ipv4);
	return first_of_family(&end->address, 1, ipv4);
}
