/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "diff_sides.h"

#include "agent_model.h"
#include "policies/array.h"
#include "text.h"

#include <errno.h>

static void append(struct document_list *list, struct document *document)
{
	*(struct document **)must(array_append(list->items, list->count)) =
		document_reference(document);
}

static bool has(const struct document_list *list, const struct document *document)
{
	return documents_find(list, document->kind, document->namespace, document->name);
}

/* The cluster is the same on both sides: what an apply does not change is taken from either, and so
 * are Namespaces that only one of them has. */
static int add_cluster(
	const struct document_list *files, struct document_list *before, struct error *error)
{
	_cleanup_documents_ struct document_list cluster = {0};

	for (size_t i = 0; i < files->count; i++) {
		struct document *document = files->items[i];

		if (!document_is_applied(document) ||
			(!document_is_policy(document) && !has(before, document)))
			append(&cluster, document);
	}
	return documents_merge(before, &cluster) < 0 ? error_nomem(error) : 0;
}

static int apply(const struct diff_options *options, const struct document_list *files,
	const struct document_list *before, struct document_list *ret, struct error *error)
{
	_cleanup_documents_ struct document_list after = {0};

	for (size_t i = 0; i < before->count; i++)
		if (!options->replace || !document_is_policy(before->items[i]) ||
			has(files, before->items[i]))
			append(&after, before->items[i]);
	if (documents_merge(&after, files) < 0)
		return error_nomem(error);
	*ret = after;
	after = (struct document_list){0};
	return 0;
}

static int copy_workload(const struct model_workload *workload, struct model *model)
{
	struct model_workload *copy;
	int r = model_add_workload(model, workload->namespace, workload->name, &copy);

	if (r == 0)
		r = labels_copy(&workload->labels, &copy->labels);
	for (size_t i = 0; r == 0 && i < workload->addresses_count; i++)
		r = model_workload_add_address(copy, &workload->addresses[i]);
	for (size_t i = 0; r == 0 && i < workload->ports_count; i++)
		r = model_workload_add_port(copy, workload->ports[i].name,
			workload->ports[i].protocol, workload->ports[i].port);
	if (r == 0) {
		copy->host_network = workload->host_network;
		copy->remote = workload->remote;
	}
	return r;
}

/* The workloads and the node of another model, without its namespaces: those come with documents.
 */
static int copy_cluster(const struct model *model, struct model *copy)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < model->workloads_count; i++)
		r = copy_workload(&model->workloads[i], copy);
	for (size_t i = 0; r == 0 && i < model->host_addresses_count; i++)
		r = model_add_host_address(copy, &model->host_addresses[i]);
	return r;
}

static int compile(struct offline *side, const struct ir_options *options, struct error *error)
{
	int r = documents_to_model(&side->documents, side->model, error);

	if (r == 0)
		r = model_finish(side->model, error);
	return r < 0 ? r : ir_compile(&side->documents, side->model, options, &side->ir, error);
}

static int ask_agent(const struct diff_options *options, struct document_list *documents,
	struct model *model, struct ir_options *ir_options, struct error *error)
{
	_cleanup_client_ struct client *client = client_new(options->settings->socket_path);
	_cleanup_agent_model_ struct agent_model agent = {0};
	int r = agent_model_fetch(client, &agent, error);

	if (r == 0 && copy_cluster(agent.model, model) < 0)
		r = error_nomem(error);
	if (r < 0)
		return r;
	*ir_options = agent.options;
	if (options->posture_given)
		ir_options->posture = options->posture;
	*documents = agent.documents;
	agent.documents = (struct document_list){0};
	return 0;
}

/* The agent knows what really runs, and takes nothing else. */
static void keep_applied(struct document_list *files)
{
	size_t kept = 0;

	for (size_t i = 0; i < files->count; i++)
		if (document_is_applied(files->items[i]))
			files->items[kept++] = files->items[i];
		else
			document_release(files->items[i]);
	files->count = kept;
}

static int resolve(const struct diff_options *options, struct document_list *files,
	struct diff_sides *sides, struct error *error)
{
	struct ir_options ir_options = {.posture = options->posture};
	int r;

	if (model_new(&sides->before.model) < 0 || model_new(&sides->after.model) < 0)
		return error_nomem(error);
	if (options->base.count) {
		r = add_cluster(files, &sides->before.documents, error);
	} else {
		keep_applied(files);
		r = ask_agent(
			options, &sides->before.documents, sides->before.model, &ir_options, error);
		if (r == 0 && copy_cluster(sides->before.model, sides->after.model) < 0)
			r = error_nomem(error);
	}
	if (r == 0)
		r = apply(options, files, &sides->before.documents, &sides->after.documents, error);
	if (r == 0)
		r = compile(&sides->before, &ir_options, error);
	return r < 0 ? r : compile(&sides->after, &ir_options, error);
}

int diff_sides_load(const struct diff_options *options, struct diff_sides *ret)
{
	const struct settings *settings = options->settings;
	_cleanup_(diff_sides_clear) struct diff_sides sides = {0};
	_cleanup_documents_ struct document_list files = {0};
	_cleanup_error_ struct error error = ERROR_INIT;

	if (sources_load(settings, &options->sources, "nothing was compared", &files) != EXIT_YES)
		return EXIT_USAGE;
	if (options->base.count && sources_load(settings, &options->base, "nothing was compared",
					   &sides.before.documents) != EXIT_YES)
		return EXIT_USAGE;
	if (resolve(options, &files, &sides, &error) < 0) {
		int code = report(settings, &error);

		return code == EXIT_NO ? EXIT_USAGE : code;
	}
	*ret = sides;
	sides = (struct diff_sides){0};
	return EXIT_YES;
}

void diff_sides_clear(struct diff_sides *sides)
{
	offline_clear(&sides->before);
	offline_clear(&sides->after);
}
