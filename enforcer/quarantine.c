/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quarantine.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "journal.h"
#include "policies/quarantine.h"
#include "quarantine_store.h"
#include "reconcile.h"

#include <errno.h>
#include <string.h>

#define RETRY_NS NS_PER_SECOND

struct quarantines {
	struct quarantine_list list;
	uint64_t changes;
	sd_event_source *timer; /* the next one that ends; NULL: none ever had an end */
};

DEFINE_CLEANUP(struct quarantines *, quarantines_free)

void quarantines_free(struct quarantines *quarantines)
{
	if (!quarantines)
		return;
	sd_event_source_disable_unref(quarantines->timer);
	quarantine_list_clear(&quarantines->list);
	free(quarantines);
}

const struct quarantine_list *quarantines_list(const struct agent *agent)
{
	return &agent->quarantines->list;
}

uint64_t quarantines_changes(const struct agent *agent)
{
	return agent->quarantines->changes;
}

/* --- who it is ----------------------------------------------------------------------------------
 */

static bool has_id(const struct quarantine *quarantine, const struct workload *workload)
{
	size_t length = strlen(workload->source);

	return quarantine->id && !strncmp(quarantine->id, workload->source, length) &&
	       quarantine->id[length] == '/' && !strcmp(quarantine->id + length + 1, workload->id);
}

const struct quarantine *quarantine_of(const struct agent *agent, const struct workload *workload)
{
	const struct quarantine_list *list = &agent->quarantines->list;
	const struct quarantine *found =
		quarantine_list_find(list, workload->namespace, workload->name);

	for (size_t i = 0; !found && i < list->count; i++)
		if (has_id(&list->items[i], workload))
			found = &list->items[i];
	return found;
}

int quarantines_mark(const struct agent *agent, struct model *model)
{
	const struct registry *registry = agent->registry;

	for (size_t i = 0; agent->quarantines->list.count && i < registry_count(registry); i++) {
		const struct workload *workload = registry_at(registry, i);
		const struct quarantine *quarantine = quarantine_of(agent, workload);

		if (quarantine && quarantine_mark(quarantine->document, workload->namespace,
					  workload->name, model) < 0)
			return -ENOMEM;
	}
	return 0;
}

static bool id_is_there(const struct agent *agent, const struct quarantine *quarantine)
{
	for (size_t i = 0; i < registry_count(agent->registry); i++)
		if (has_id(quarantine, registry_at(agent->registry, i)))
			return true;
	return false;
}

static const struct workload *find_by_name(
	const struct agent *agent, const char *namespace, const char *name)
{
	for (size_t i = 0; i < registry_count(agent->registry); i++) {
		const struct workload *workload = registry_at(agent->registry, i);

		if (!strcmp(workload->namespace, namespace) && !strcmp(workload->name, name))
			return workload;
	}
	return NULL;
}

/* true: it has another id now. While its container is there, under whatever name, it keeps that. */
static bool follow(const struct agent *agent, struct quarantine *quarantine)
{
	const struct document *document = quarantine->document;
	const struct workload *workload = find_by_name(agent, document->namespace, document->name);
	char *id;

	if (!workload || id_is_there(agent, quarantine) ||
		asprintf(&id, "%s/%s", workload->source, workload->id) < 0)
		return false;
	free(quarantine->id);
	quarantine->id = id;
	return true;
}

void quarantines_follow(struct agent *agent)
{
	struct quarantine_list *list = &agent->quarantines->list;
	_cleanup_error_ struct error error = ERROR_INIT;
	bool changed = false;

	for (size_t i = 0; i < list->count; i++)
		changed |= follow(agent, &list->items[i]);
	if (changed && quarantine_store_save(agent->options->state_directory, list, &error) < 0)
		journal(JOURNAL_WARNING, "%s; after a restart a renamed container would be free",
			error_message(&error));
}

static const struct quarantine *find_by_interface(const struct agent *agent, uint32_t ifindex)
{
	for (size_t i = 0; i < registry_count(agent->registry); i++) {
		const struct workload *workload = registry_at(agent->registry, i);

		for (size_t k = 0; k < workload->interfaces_count; k++)
			if (workload->interfaces[k].ifindex == ifindex)
				return quarantine_of(agent, workload);
	}
	return NULL;
}

void quarantines_name_rule(const struct agent *agent, struct flow_event *event)
{
	const struct quarantine *quarantine = find_by_interface(agent, event->ifindex);

	for (size_t i = 0; quarantine && agent->ir && i < agent->ir->rules_count; i++) {
		const struct ir_rule *rule = &agent->ir->rules[i];

		if (rule->document == quarantine->document && rule->direction == event->direction &&
			rule->verdict == VERDICT_DENY)
			event->rule = rule->id;
	}
}

/* --- changes ------------------------------------------------------------------------------------
 */

static void arm(struct agent *agent, uint64_t not_before_ns);

/* Takes next if it can be enforced. */
static int change(struct agent *agent, struct quarantine_list *next, struct error *error)
{
	struct quarantines *quarantines = agent->quarantines;
	struct quarantine_list former = quarantines->list;
	int r;

	quarantines->list = *next;
	quarantines->changes++;
	*next = (struct quarantine_list){0};
	r = agent_reconcile(agent, NULL, error);
	if (r < 0) {
		*next = quarantines->list;
		quarantines->list = former;
		quarantines->changes++;
		return r;
	}
	quarantine_list_clear(&former);
	arm(agent, 0);
	r = quarantine_store_save(agent->options->state_directory, &quarantines->list, error);
	if (r == 0)
		return 0;
	error_context(
		error, r, "it is in force, but what is on disk is not: a restart would undo it");
	return -ESTALE;
}

static int check(
	const struct agent *agent, const struct quarantine_request *request, struct error *error)
{
	const struct quarantine_list *list = &agent->quarantines->list;
	const struct quarantine *there =
		quarantine_list_find(list, request->namespace, request->name);
	const struct workload *workload = find_by_name(agent, request->namespace, request->name);
	size_t others = quarantine_list_count(list, QUARANTINE_DETECTOR);

	if (workload && workload->host_network)
		return error_set(error, -EOPNOTSUPP,
			"%s/%s shares the node's own network: its packets are the node's",
			request->namespace, request->name);
	if (request->origin != QUARANTINE_DETECTOR)
		return 0;
	if (there && there->origin == QUARANTINE_MANUAL)
		return error_set(error, -EEXIST, "%s/%s is in quarantine already, by %s",
			request->namespace, request->name, there->user);
	if (!there && others >= agent->options->automatic_quarantines)
		return error_set(error, -EDQUOT,
			"%zu workloads are isolated automatically, and no more than %u may be "
			"(segd --automatic-quarantines)",
			others, agent->options->automatic_quarantines);
	return 0;
}

static int make(const struct agent *agent, const struct quarantine_request *request,
	struct quarantine *ret, struct error *error)
{
	_cleanup_quarantine_ struct quarantine made = {
		.uid = request->uid,
		.origin = request->origin,
		.since_ns = clock_ns(CLOCK_REALTIME),
	};
	int r = quarantine_document_new(request->namespace, request->name, request->reason,
		request->allow, &made.document, error);

	if (r < 0)
		return r;
	made.user = strdup(request->user);
	if (!made.user)
		return error_nomem(error);
	if (request->duration_ns)
		made.until_ns = made.since_ns + request->duration_ns;
	(void)follow(agent, &made);
	*ret = made;
	made = (struct quarantine){0};
	return 0;
}

int quarantine_add(
	struct agent *agent, const struct quarantine_request *request, struct error *error)
{
	_cleanup_quarantine_list_ struct quarantine_list next = {0};
	_cleanup_quarantine_ struct quarantine made = {0};
	int r = check(agent, request, error);

	if (r == 0)
		r = make(agent, request, &made, error);
	if (r < 0)
		return r;
	r = quarantine_list_copy(&agent->quarantines->list, &next);
	if (r == 0)
		r = quarantine_list_put(&next, &made);
	if (r < 0)
		return error_errno(error, r, "quarantine one more than %zu workloads",
			agent->quarantines->list.count);
	r = change(agent, &next, error);
	if (r == 0 || r == -ESTALE)
		journal(JOURNAL_NOTICE, "%s/%s is in quarantine, by %s: %s", request->namespace,
			request->name, request->user, request->reason);
	return r;
}

int quarantine_remove(
	struct agent *agent, const char *namespace, const char *name, struct error *error)
{
	_cleanup_quarantine_list_ struct quarantine_list next = {0};
	const struct quarantine *found;
	int r;

	if (quarantine_list_copy(&agent->quarantines->list, &next) < 0)
		return error_nomem(error);
	found = quarantine_list_find(&next, namespace, name);
	if (!found)
		return error_set(error, -ENOENT, "%s/%s is not in quarantine", namespace, name);
	quarantine_list_remove(&next, (size_t)(found - next.items));
	r = change(agent, &next, error);
	if (r == 0 || r == -ESTALE)
		journal(JOURNAL_NOTICE, "%s/%s is out of quarantine", namespace, name);
	return r;
}

/* --- their end ----------------------------------------------------------------------------------
 */

/* Takes those whose time is over out of the list. */
static size_t drop_ended(struct quarantine_list *list)
{
	const uint64_t now_ns = clock_ns(CLOCK_REALTIME);
	size_t dropped = 0;

	for (size_t i = list->count; i-- > 0;) {
		const struct quarantine *quarantine = &list->items[i];

		if (!quarantine->until_ns || quarantine->until_ns > now_ns)
			continue;
		journal(JOURNAL_NOTICE, "%s/%s is out of quarantine: its time is over",
			quarantine->document->namespace, quarantine->document->name);
		quarantine_list_remove(list, i);
		dropped++;
	}
	return dropped;
}

static int on_end(sd_event_source *source, uint64_t time_us, void *userdata)
{
	_cleanup_quarantine_list_ struct quarantine_list next = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	struct agent *agent = userdata;
	int r = 0;

	(void)source;
	(void)time_us;
	if (quarantine_list_copy(&agent->quarantines->list, &next) < 0)
		r = error_nomem(&error);
	else if (drop_ended(&next))
		r = change(agent, &next, &error);
	else
		arm(agent, 0);
	if (r < 0) {
		journal(JOURNAL_ERROR, "end a quarantine: %s; trying again", error_message(&error));
		arm(agent, clock_ns(CLOCK_REALTIME) + RETRY_NS);
	}
	return 0;
}

/* Sets the timer for the next end, but not before a time. */
static void arm(struct agent *agent, uint64_t not_before_ns)
{
	struct quarantines *quarantines = agent->quarantines;
	uint64_t next_ns = UINT64_MAX;
	int r;

	for (size_t i = 0; i < quarantines->list.count; i++) {
		uint64_t until_ns = quarantines->list.items[i].until_ns;

		if (until_ns && until_ns < next_ns)
			next_ns = until_ns;
	}
	quarantines->timer = sd_event_source_disable_unref(quarantines->timer);
	if (next_ns == UINT64_MAX)
		return;
	if (next_ns < not_before_ns)
		next_ns = not_before_ns;
	r = sd_event_add_time(agent->event, &quarantines->timer, CLOCK_REALTIME, next_ns / 1000 + 1,
		1000, on_end, agent);
	if (r < 0)
		journal(JOURNAL_ERROR, "wait for the end of a quarantine: %s", strerror(-r));
}

int quarantines_open(struct agent *agent, struct error *error)
{
	_cleanup_(quarantines_freep) struct quarantines *quarantines =
		calloc(1, sizeof(*quarantines));
	const char *directory = agent->options->state_directory;
	_cleanup_error_ struct error unsaved = ERROR_INIT;
	int r;

	if (!quarantines)
		return error_nomem(error);
	r = quarantine_store_load(directory, &quarantines->list, error);
	if (r < 0)
		return r;
	/* The next agent, too, sees that they are over. */
	if (drop_ended(&quarantines->list) &&
		quarantine_store_save(directory, &quarantines->list, &unsaved) < 0)
		journal(JOURNAL_WARNING, "%s", error_message(&unsaved));
	agent->quarantines = TAKE_PTR(quarantines);
	arm(agent, 0);
	return 0;
}
