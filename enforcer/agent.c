/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent.h"

#include "api.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "capturing.h"
#include "confirm.h"
#include "deny_reload.h"
#include "detection.h"
#include "early.h"
#include "flow_health.h"
#include "guards.h"
#include "journal.h"
#include "names.h"
#include "observation.h"
#include "planes.h"
#include "policy_journal.h"
#include "quarantine.h"
#include "reconcile.h"
#include "workload_store.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <systemd/sd-daemon.h>

/* --- what the parts tell the agent -------------------------------------------------------------
 */

static void on_flow(const struct flow_event *event, void *userdata)
{
	struct agent *agent = userdata;
	struct flow_event named = *event;

	if (event->reason == REASON_QUARANTINED && !event->rule)
		quarantines_name_rule(agent, &named);
	if (!agent->plane_ops->hits)
		rule_table_count(agent->rules, &named);
	flow_pipeline_event(agent->flows, &named);
}

static bool on_hits(uint32_t rule, uint64_t hits, void *userdata)
{
	struct agent *agent = userdata;

	return rule_table_set_hits(agent->rules, rule, hits);
}

void agent_count_hits(struct agent *agent)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	if (agent->plane_ops->hits &&
		agent->plane_ops->hits(agent->plane, on_hits, agent, &error) < 0)
		journal(JOURNAL_ERROR, "count the hits of rules: %s", error_message(&error));
}

static void on_trouble(const char *message, bool repaired, void *userdata)
{
	struct agent *agent = userdata;

	troubles_add(&agent->troubles, message, repaired);
	journal(repaired ? JOURNAL_WARNING : JOURNAL_ERROR, "%s%s", message,
		repaired ? " (repaired)" : "");
}

static struct agent_source *find_source(struct agent *agent, const char *name)
{
	for (size_t i = 0; i < agent->sources_count; i++) {
		if (!strcmp(agent->sources[i].ops->name, name))
			return &agent->sources[i];
	}
	return NULL;
}

static void on_health(const char *name, bool healthy, const char *message, void *userdata)
{
	struct agent_source *source = find_source(userdata, name);

	if (!source)
		return;
	if (source->healthy != healthy)
		journal(healthy ? JOURNAL_INFO : JOURNAL_WARNING, "%s: %s", name,
			healthy ? "following its workloads" : message);
	source->healthy = healthy;
	free(source->message);
	source->message = message ? strdup(message) : NULL;
}

static void on_bridge(const char *name, const char *bridge, bool present, void *userdata)
{
	struct agent *agent = userdata;

	(void)name;
	if (guards_set_bridge(agent->guards, bridge, present) < 0)
		journal(JOURNAL_ERROR, "guard new ports of %s: out of memory", bridge);
}

static bool is_attached(const struct agent *agent, uint32_t ifindex)
{
	for (size_t i = 0; i < registry_count(agent->registry); i++) {
		const struct workload *workload = registry_at(agent->registry, i);

		for (size_t j = 0; j < workload->interfaces_count; j++) {
			if (workload->interfaces[j].ifindex == ifindex)
				return true;
		}
	}
	return false;
}

/* A veth that appears on a runtime's bridge belongs to a workload that nobody has named yet. */
static void on_port(uint32_t ifindex, const char *name, const char *master, void *userdata)
{
	struct agent *agent = userdata;
	_cleanup_error_ struct error error = ERROR_INIT;
	int r;

	if (!guards_cover(agent->guards, master) || is_attached(agent, ifindex))
		return;
	r = guards_add(agent->guards, ifindex, name);
	if (r >= 0)
		r = agent->plane_ops->guard(agent->plane, ifindex, name, &error);
	/* -ENODEV: it went away while we looked. */
	if (r < 0 && r != -ENODEV)
		journal(JOURNAL_ERROR, "guard new interface %s: %s", name, error_message(&error));
}

static void on_gone(uint32_t ifindex, void *userdata)
{
	struct agent *agent = userdata;

	guards_remove(agent->guards, ifindex);
	if (registry_drop_interface(agent->registry, ifindex) < 0)
		journal(JOURNAL_ERROR, "forget interface %u: out of memory", ifindex);
}

static void on_addresses(void *userdata)
{
	struct agent *agent = userdata;

	/* Before the first reconcile there is nothing to bring up to date. */
	if (agent->generation)
		agent_workloads_changed(agent);
}

static void on_deny_lists(struct agent *agent, int r, const struct error *error, void *userdata)
{
	(void)userdata;
	if (r < 0)
		on_trouble(error_message(error), false, agent);
}

static void reload_deny_lists(struct agent *agent)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	int r = deny_reload(agent, on_deny_lists, NULL, &error);

	if (r < 0)
		on_deny_lists(agent, r, &error, NULL);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct agent *agent = userdata;

	(void)source;
	if (info->ssi_signo != SIGHUP)
		return sd_event_exit(agent->event, 0);
	reload_deny_lists(agent);
	for (size_t i = 0; i < agent->sources_count; i++) {
		_cleanup_error_ struct error error = ERROR_INIT;

		if (agent->sources[i].ops->refresh(agent->sources[i].source, &error) < 0)
			journal(JOURNAL_ERROR, "%s: %s; the former workloads stay in force",
				agent->sources[i].ops->name, error_message(&error));
	}
	return 0;
}

/* --- start -------------------------------------------------------------------------------------
 */

static int open_plane(struct agent *agent, struct error *error)
{
	int r;

	agent->callbacks = (struct dataplane_callbacks){
		.flow = on_flow,
		.sample = observation_sample,
		.trouble = on_trouble,
		.userdata = agent,
	};
	r = planes_open(agent, &agent->callbacks, error);
	return r < 0 ? r : early_open(agent, error);
}

static int open_source(struct agent *agent, const struct workload_source_ops *ops,
	const char *where, struct error *error)
{
	const struct workload_source_callbacks callbacks = {
		.health = on_health,
		.bridge = on_bridge,
		.userdata = agent,
	};
	struct agent_source *source = &agent->sources[agent->sources_count];
	int r;

	*source = (struct agent_source){.ops = ops};
	agent->sources_count++;
	r = ops->open(where, agent->registry, &callbacks, agent->event, &source->source, error);
	if (r < 0) {
		agent->sources_count--;
		return error_context(error, r, "find workloads by %s", ops->name);
	}
	return 0;
}

static int open_workloads(struct agent *agent, struct error *error)
{
	const struct links_callbacks callbacks = {
		.port = on_port,
		.gone = on_gone,
		.addresses = on_addresses,
		.userdata = agent,
	};
	_cleanup_error_ struct error damaged = ERROR_INIT;
	int r;

	r = registry_new(agent->event, agent_workloads_changed, agent, &agent->registry);
	if (r < 0)
		return error_errno(error, r, "make the registry of workloads");
	if (workload_store_load(agent->options->state_directory, agent->registry, &damaged) < 0)
		journal(JOURNAL_WARNING, "%s; starting from what the runtimes say",
			error_message(&damaged));
	r = links_new(agent->event, &callbacks, &agent->links, error);
	if (r < 0)
		return error_context(error, r, "follow network interfaces");
	if (agent->options->workloads_file) {
		r = open_source(agent, &netns_source_ops, agent->options->workloads_file, error);
		if (r < 0)
			return r;
	}
	if (agent->options->docker_socket)
		return open_source(agent, &docker_source_ops, agent->options->docker_socket, error);
	return 0;
}

static int open_flows(struct agent *agent, struct error *error)
{
	const struct flow_resolver resolver = names_resolver(agent);
	_cleanup_free_ char *store = NULL;
	int r;

	if (asprintf(&store, "%s/flows.db", agent->options->state_directory) < 0) {
		store = NULL;
		return error_nomem(error);
	}
	const struct flow_options options = {
		.node = agent->options->node,
		.log_directory = agent->options->log_directory,
		.log_total_bytes = agent->options->log_bytes,
		.log_file_ns = agent->options->log_file_ns,
		.store_path = store,
		.store_bytes = agent->options->store_bytes,
		.store_ns = agent->options->store_ns,
	};

	r = flow_pipeline_new(&options, &resolver, agent->event, &agent->flows, error);
	if (!r)
		r = flow_health_open(agent, &agent->health, error);
	return r < 0 ? error_context(error, r, "open the flow log") : 0;
}

static int add_signals(struct agent *agent, struct error *error)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
	sigset_t set;
	int r = 0;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < ARRAY_SIZE(signals) && r >= 0; i++)
		r = sd_event_add_signal(agent->event, NULL, signals[i], on_signal, agent);
	return r < 0 ? error_errno(error, r, "handle signals") : 0;
}

static int make_tables(struct agent *agent, struct error *error)
{
	if (sd_event_new(&agent->event) < 0 || rule_table_new(&agent->rules) < 0 ||
		guards_new(&agent->guards) < 0 || ir_compiler_new(&agent->compiler) < 0)
		return error_nomem(error);
	return add_signals(agent, error);
}

/* Policies first, then workloads, then the kernel: what enforces already goes on meanwhile. */
static int start(struct agent *agent, struct error *error)
{
	int r;

	r = make_tables(agent, error);
	if (r < 0)
		return r;
	r = policy_journal_open(
		agent->options->state_directory, &agent->documents, &agent->policies, error);
	if (r < 0)
		return r;
	r = quarantines_open(agent, error);
	if (r < 0)
		return r;
	r = open_flows(agent, error);
	if (r < 0)
		return r;
	r = observation_open(agent, error);
	if (r < 0)
		return r;
	r = detection_open(agent, error);
	if (r < 0)
		return r;
	r = open_plane(agent, error);
	if (r < 0)
		return r;
	r = open_workloads(agent, error);
	if (r < 0)
		return r;
	r = agent_reconcile(agent, NULL, error);
	if (r < 0)
		return r;
	r = confirm_open(agent, error);
	if (r < 0)
		return r;
	r = planes_retire_former(agent, error);
	if (r < 0)
		return r;
	r = api_open(agent, error);
	return r < 0 ? error_context(error, r, "serve segctl") : 0;
}

int agent_new(const struct options *options, struct agent **ret, struct error *error)
{
	_cleanup_(agent_freep) struct agent *agent = calloc(1, sizeof(*agent));
	int r;

	if (!agent)
		return error_nomem(error);
	agent->options = options;
	agent->started_ns = clock_ns(CLOCK_REALTIME);
	r = start(agent, error);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(agent);
	return 0;
}

int agent_run(struct agent *agent, struct error *error)
{
	int r;

	journal(JOURNAL_INFO, "enforcing %zu policies on %zu workloads with %s; segctl at %s",
		agent->documents.count, registry_count(agent->registry), agent->plane_ops->name,
		agent->options->socket_path);
	sd_notify(0, "READY=1");
	(void)sd_event_set_watchdog(agent->event, true); /* where the service manager wants one */
	r = sd_event_loop(agent->event);
	sd_notify(0, "STOPPING=1");
	return r < 0 ? error_errno(error, r, "run the event loop") : 0;
}

void agent_free(struct agent *agent)
{
	if (!agent)
		return;
	if (agent->flows)
		flow_records_cancel(agent->flows);
	control_server_free(agent->metrics);
	control_server_free(agent->control);
	capturing_stop(agent);
	confirm_free(agent->confirm);
	for (size_t i = 0; i < agent->sources_count; i++) {
		agent->sources[i].ops->close(agent->sources[i].source);
		free(agent->sources[i].message);
	}
	/* What the data planes still report as they close wants its names. */
	if (agent->host)
		host_close(agent->host, agent->options->remove_on_exit);
	early_close(agent);
	second_lock_close(agent->lock, agent->options->remove_on_exit);
	if (agent->plane)
		agent->plane_ops->close(agent->plane, agent->options->remove_on_exit);
	links_free(agent->links);
	registry_free(agent->registry);
	quarantines_free(agent->quarantines);
	detection_free(agent->detection);
	observer_free(agent->observer);
	flow_health_free(agent->health);
	flow_pipeline_free(agent->flows);
	documents_clear(&agent->documents);
	policy_journal_free(agent->policies);
	ir_free(agent->ir);
	ir_compiler_free(agent->compiler);
	model_free(agent->model);
	guards_free(agent->guards);
	rule_table_free(agent->rules);
	troubles_clear(&agent->troubles);
	sd_event_source_unref(agent->retry);
	sd_event_source_unref(agent->trim);
	sd_event_unref(agent->event);
	free(agent->last_error);
	free(agent->unstored);
	free(agent);
}
