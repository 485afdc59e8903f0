/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reconcile.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "early.h"
#include "guards.h"
#include "journal.h"
#include "policy_journal.h"
#include "quarantine.h"
#include "trim.h"
#include "workload_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_USEC 500000

/* What one reconcile builds; it becomes the agent's own only when everything has worked. */
struct candidate {
	struct document_list documents;
	struct model *model;
	uint64_t model_changes;
	uint64_t model_quarantines;
	struct ir *ir;
	struct attachment *attachments;
	size_t attachments_count;
};

static void candidate_clear(struct candidate *candidate)
{
	free(candidate->attachments);
	ir_free(candidate->ir);
	model_free(candidate->model);
	documents_clear(&candidate->documents);
}

static int build_model(struct agent *agent, const struct document_list *documents,
	struct model *model, struct error *error)
{
	const struct address *addresses;
	size_t count;
	int r;

	r = documents_to_model(documents, model, error);
	if (r < 0)
		return r;
	r = registry_to_model(agent->registry, model, error);
	if (r < 0)
		return r;
	if (quarantines_mark(agent, model) < 0)
		return error_nomem(error);
	addresses = links_host_addresses(agent->links, &count);
	for (size_t i = 0; i < count; i++) {
		r = model_add_host_address(model, &addresses[i]);
		if (r < 0)
			return error_errno(error, r, "add the node's addresses");
	}
	return model_finish(model, error);
}

/*
 * What the data plane cannot reach is not its business, and must not look as if it were. Policies
 * still bind the other end of every connection where that is one that can be reached.
 */
static void drop_out_of_reach(struct agent *agent, struct candidate *candidate)
{
	size_t kept = 0;

	for (size_t i = 0; i < candidate->attachments_count; i++) {
		const struct attachment *attachment = &candidate->attachments[i];
		_cleanup_free_ char *message = NULL;

		if (!attachment->netns || agent->plane_ops->reaches_inside) {
			candidate->attachments[kept++] = *attachment;
			continue;
		}
		if (asprintf(&message,
			    "interface %s in %s is a macvlan or ipvlan, which the %s data plane "
			    "cannot enforce; --dataplane=ebpf can",
			    attachment->name, attachment->netns, agent->plane_ops->name) < 0)
			message = NULL;
		if (message && !troubles_know(&agent->troubles, message)) {
			troubles_add(&agent->troubles, message, false);
			journal(JOURNAL_ERROR, "%s", message);
		}
	}
	candidate->attachments_count = kept;
}

/* The Namespaces and Nodes among documents, which models are made from besides the workloads. */
static const struct document *next_described(const struct document_list *documents, size_t *index)
{
	while (*index < documents->count) {
		const struct document *document = documents->items[(*index)++];

		if (!document_is_policy(document))
			return document;
	}
	return NULL;
}

/* Documents do not change, so their pointers tell. */
static bool describe_the_same(const struct document_list *before, const struct document_list *after)
{
	size_t b = 0, a = 0;
	const struct document *one, *other;

	do {
		one = next_described(before, &b);
		other = next_described(after, &a);
	} while (one && one == other);
	return one == other;
}

/* But for its workloads, is the model in force what would be made now? */
static bool surroundings_are_current(
	const struct agent *agent, const struct document_list *documents)
{
	const struct model *model = agent->model;
	const struct address *addresses;
	size_t count;

	addresses = links_host_addresses(agent->links, &count);
	return model && agent->model_quarantines == quarantines_changes(agent) &&
	       describe_the_same(&agent->documents, documents) &&
	       count == model->host_addresses_count &&
	       (!count || !memcmp(addresses, model->host_addresses, count * sizeof(*addresses)));
}

/* Do documents, too, make workloads or mark them? */
static bool describe_workloads(const struct document_list *documents)
{
	for (size_t i = 0; i < documents->count; i++)
		if (documents->items[i]->kind == DOCUMENT_POD ||
			documents->items[i]->kind == DOCUMENT_QUARANTINE)
			return true;
	return false;
}

/* The model in force with a few workloads changed. 1, 0 (it is to be built) or negative. */
static int follow_model(struct agent *agent, const struct document_list *documents,
	struct model **ret, struct error *error)
{
	_cleanup_(model_freep) struct model *model = NULL;
	int r;

	if (!surroundings_are_current(agent, documents) || describe_workloads(documents) ||
		quarantines_list(agent)->count)
		return 0;
	r = registry_follow_model(agent->registry, agent->model, &model, error);
	if (r <= 0)
		return r;
	r = model_finish(model, error);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(model);
	return 1;
}

static int candidate_model(struct agent *agent, const struct document_list *documents,
	struct candidate *candidate, struct error *error)
{
	int r;

	candidate->model_changes = registry_changes(agent->registry);
	candidate->model_quarantines = quarantines_changes(agent);
	/* Then a change of policies alone needs no other. */
	if (surroundings_are_current(agent, documents) &&
		agent->model_changes == candidate->model_changes) {
		candidate->model = model_reference(agent->model);
		return 0;
	}
	r = follow_model(agent, documents, &candidate->model, error);
	if (r != 0)
		return r < 0 ? error_context(error, r, "list workloads") : 0;
	r = model_new(&candidate->model);
	if (r < 0)
		return error_nomem(error);
	r = build_model(agent, documents, candidate->model, error);
	if (r < 0)
		return error_context(error, r, "list workloads");
	if (agent->model)
		model_share(candidate->model, agent->model);
	return 0;
}

/* What is applied, and above it what is in quarantine. */
static int compile(struct agent *agent, const struct document_list *documents,
	struct candidate *candidate, struct error *error)
{
	__attribute__((cleanup(documents_clear))) struct document_list all = {0};
	int r;

	if (documents_copy(documents, &all) < 0 ||
		quarantine_list_documents(quarantines_list(agent), &all) < 0)
		return error_nomem(error);
	r = ir_compiler_update(agent->compiler, &all, candidate->model, &agent->options->policy,
		&candidate->ir, error);
	return r < 0 ? error_context(error, r, "compile policies") : 0;
}

static int candidate_build(struct agent *agent, const struct document_list *documents,
	struct candidate *candidate, struct error *error)
{
	int r;

	r = documents_copy(documents, &candidate->documents);
	if (r < 0)
		return error_nomem(error);
	r = candidate_model(agent, documents, candidate, error);
	laps_end(&agent->laps, "model");
	if (r < 0)
		return r;
	r = compile(agent, documents, candidate, error);
	laps_end(&agent->laps, "compile");
	if (r < 0)
		return r;
	r = registry_attachments(agent->registry, candidate->model, &candidate->attachments,
		&candidate->attachments_count);
	if (r < 0)
		return error_errno(error, r, "list interfaces of workloads");
	drop_out_of_reach(agent, candidate);
	r = guards_add_attachments(
		agent->guards, &candidate->attachments, &candidate->attachments_count);
	if (r < 0)
		return error_errno(error, r, "list guarded interfaces");
	laps_end(&agent->laps, "attachments");
	return 0;
}

/* Names of rules must be known before the first event that carries them. */
static int candidate_apply(struct agent *agent, struct candidate *candidate, struct error *error)
{
	const struct dataplane_state state = {
		.ir = candidate->ir,
		.model = candidate->model,
		.attachments = candidate->attachments,
		.attachments_count = candidate->attachments_count,
		.laps = &agent->laps,
	};
	int r;

	r = rule_table_update(agent->rules, candidate->ir);
	laps_end(&agent->laps, "rules");
	if (r < 0)
		return error_nomem(error);
	r = host_apply(agent->host, candidate->ir, error);
	laps_end(&agent->laps, "host");
	if (r < 0)
		return r;
	second_lock_release(agent->lock, state.attachments, state.attachments_count);
	r = agent->plane_ops->apply(agent->plane, &state, error);
	laps_end(&agent->laps, "dataplane");
	if (r < 0) {
		/* Both or neither. */
		if (agent->ir)
			(void)host_apply(agent->host, agent->ir, NULL);
		return error_context(
			error, r, "apply to the %s data plane", agent->plane_ops->name);
	}
	second_lock_apply(agent->lock, state.attachments, state.attachments_count);
	return 0;
}

static void candidate_commit(struct agent *agent, struct candidate *candidate)
{
	documents_clear(&agent->documents);
	ir_free(agent->ir);
	model_free(agent->model);
	agent->documents = candidate->documents;
	agent->ir = TAKE_PTR(candidate->ir);
	agent->model = TAKE_PTR(candidate->model);
	agent->model_changes = candidate->model_changes;
	agent->model_quarantines = candidate->model_quarantines;
	candidate->documents = (struct document_list){0};
	agent->generation++;
	flow_pipeline_names_changed(agent->flows);
	quarantines_follow(agent);
	early_workloads_changed(agent);
	laps_end(&agent->laps, "names");
}

/* anyway: whether they can be stored or not. */
static int reconcile_stored(
	struct agent *agent, struct candidate *candidate, bool anyway, struct error *error)
{
	_cleanup_error_ struct error unstored = ERROR_INIT;
	int stored, r;

	stored = policy_journal_prepare(agent->policies, &candidate->documents, &unstored);
	laps_end(&agent->laps, "store");
	if (stored < 0 && !anyway)
		return error_set(error, stored, "store policies: %s", error_message(&unstored));
	r = candidate_apply(agent, candidate, error);
	if (r < 0) {
		if (stored == 0)
			policy_journal_abort(agent->policies);
		return r;
	}
	/* The kernel has it already, so it counts from here on even if the disk fails. */
	if (stored == 0)
		stored = policy_journal_commit(agent->policies, &unstored);
	laps_end(&agent->laps, "store");
	candidate_commit(agent, candidate);
	free(agent->unstored);
	agent->unstored = stored < 0 ? strdup(error_message(&unstored)) : NULL;
	if (stored < 0)
		return error_set(error, -ESTALE,
			"the policies are enforced, but would not survive a restart: "
			"store policies: %s",
			error_message(&unstored));
	return 0;
}

static int reconcile(struct agent *agent, const struct document_list *documents, bool anyway,
	struct error *error)
{
	__attribute__((cleanup(candidate_clear))) struct candidate candidate = {0};
	int r;

	r = candidate_build(agent, documents ? documents : &agent->documents, &candidate, error);
	if (r < 0)
		return r;
	if (documents)
		return reconcile_stored(agent, &candidate, anyway, error);
	r = candidate_apply(agent, &candidate, error);
	if (r < 0)
		return r;
	candidate_commit(agent, &candidate);
	return 0;
}

static int reconcile_measured(struct agent *agent, const struct document_list *documents,
	bool anyway, struct error *error)
{
	uint64_t start_ns = clock_ns(CLOCK_MONOTONIC);
	_cleanup_error_ struct error own = ERROR_INIT;
	int r;

	laps_start(&agent->laps);
	r = reconcile(agent, documents, anyway, &own);
	free(agent->last_error);
	agent->last_error = r < 0 && r != -ESTALE ? strdup(error_message(&own)) : NULL;
	agent->reconciled_ns = clock_ns(CLOCK_REALTIME);
	agent->reconcile_duration_ns = clock_ns(CLOCK_MONOTONIC) - start_ns;
	histogram_add(&agent->reconciles, agent->reconcile_duration_ns);
	agent->reconciles_failed += r < 0;
	trim_soon(agent);
	if (r < 0)
		return error_set(error, r, "%s", error_message(&own));
	return 0;
}

int agent_reconcile(struct agent *agent, const struct document_list *documents, struct error *error)
{
	return reconcile_measured(agent, documents, false, error);
}

int agent_fall_back(struct agent *agent, const struct document_list *documents, struct error *error)
{
	return reconcile_measured(agent, documents, true, error);
}

int agent_check(struct agent *agent, const struct document_list *documents, struct error *error)
{
	__attribute__((cleanup(candidate_clear))) struct candidate candidate = {0};

	trim_soon(agent);
	return candidate_build(agent, documents, &candidate, error);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	agent_workloads_changed(userdata);
	return 0;
}

static void schedule_retry(struct agent *agent)
{
	int r;

	if (agent->retry)
		r = sd_event_source_set_time_relative(agent->retry, RETRY_USEC);
	else
		r = sd_event_add_time_relative(agent->event, &agent->retry, CLOCK_MONOTONIC,
			RETRY_USEC, 0, on_retry, agent);
	if (r >= 0)
		r = sd_event_source_set_enabled(agent->retry, SD_EVENT_ONESHOT);
	if (r < 0)
		journal(JOURNAL_ERROR, "schedule another reconcile: %s", strerror(-r));
}

void agent_workloads_changed(void *userdata)
{
	struct agent *agent = userdata;
	_cleanup_error_ struct error error = ERROR_INIT;

	if (agent_reconcile(agent, NULL, &error) < 0) {
		journal(JOURNAL_ERROR, "%s; the former state stays in force, trying again",
			error_message(&error));
		schedule_retry(agent);
	}
	error_clear(&error);
	if (workload_store_save(agent->options->state_directory, agent->registry, &error) < 0)
		journal(JOURNAL_WARNING, "%s; a restart would not know the workloads of now",
			error_message(&error));
}
