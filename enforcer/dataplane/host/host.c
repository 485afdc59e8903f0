/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/host/host.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "dataplane/host/host_path.h"
#include "dataplane/host/listeners.h"
#include "dataplane/nft/connections.h"
#include "dataplane/nft/describe.h"
#include "dataplane/nft/layout.h"
#include "dataplane/nft/plan.h"
#include "dataplane/nft/refusals.h"
#include "dataplane/nft/repairs.h"
#include "dataplane/nft/settings.h"
#include "dataplane/nft/snapshot.h"
#include "dataplane/nft/sysctls.h"
#include "dataplane/nft/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TICK_US                   UINT64_C(1000000)
#define TICKS_PER_CONNECTION_LIST 30

struct host {
	struct host_options options;
	struct dataplane_callbacks callbacks; /* the agent's */
	struct dataplane_callbacks filter;    /* ours, for connections */
	sd_event *event;
	char note[SYSCTLS_NOTE_MAX];
	struct table *table;
	bool settled; /* apply has had its say about what was there before */

	/* These are there while policy binds the node. */
	struct connections *connections;
	struct refusals *refusals;
	struct watch *watch;
	struct ir *policy; /* snapshot of the node's own part */
	bool *local;       /* by workload: the data plane reports its connections */
	size_t workloads_count;
	sd_event_source *timer;
	unsigned int ticks;

	struct settings settings;
	struct repairs repairs;
	struct listeners listeners;
};

/* --- what is reported ---------------------------------------------------------------------------
 */

static const struct ir_address *find_address(const struct host *host, const struct address *address)
{
	return snapshot_find(host->policy, address);
}

static bool is_local_workload(const struct host *host, const struct ir_address *end)
{
	return end && end->workload >= 0 && (size_t)end->workload < host->workloads_count &&
	       host->local[end->workload];
}

/* The node with itself concerns nobody; with its own workload, only what the node's policy does. */
static void on_connection(const struct flow_event *event, void *userdata)
{
	const struct host *host = userdata;
	const struct ir_address *source, *destination;
	bool told = event->reason == REASON_REVOKED || event->verdict == FLOW_AUDITED;

	if (event->type != FLOW_GAP && host->policy) {
		source = find_address(host, &event->source);
		destination = find_address(host, &event->destination);
		if (source && destination && source->workload < 0 && destination->workload < 0)
			return;
		if (!told &&
			(is_local_workload(host, source) || is_local_workload(host, destination)))
			return;
	}
	host->callbacks.flow(event, host->callbacks.userdata);
}

static bool is_failsafe(const struct flow_query *query, void *userdata)
{
	const struct host *host = userdata;
	const struct failsafe *failsafe = &host->options.failsafe;

	return (snapshot_is_subject(host->policy, &query->destination) &&
		       failsafe_covers(
			       failsafe, DIRECTION_INGRESS, query->protocol, query->port)) ||
	       (snapshot_is_subject(host->policy, &query->source) &&
		       failsafe_covers(failsafe, DIRECTION_EGRESS, query->protocol, query->port));
}

/* The node's end was connected to where something listens. Where nothing does, and the ports do not
 * tell who did it, it is the node that has connected. */
static enum client_end find_client(
	const struct flow_query *sent, uint16_t source_port, void *userdata)
{
	struct host *host = userdata;
	const bool outgoing = snapshot_is_subject(host->policy, &sent->source);
	const enum client_end here = outgoing ? CLIENT_SOURCE : CLIENT_DESTINATION;
	const enum client_end there = outgoing ? CLIENT_DESTINATION : CLIENT_SOURCE;
	const enum client_end told = client_port_tell(source_port, sent->port);
	const int serves = listeners_have(&host->listeners, outgoing ? source_port : sent->port);

	if (serves > 0)
		return there;
	return told == CLIENT_UNKNOWN && !serves ? here : told;
}

static bool adopt(const struct nflog_packet *packet, void *userdata)
{
	const struct host *host = userdata;

	return connections_adopt(host->connections, packet);
}

/* --- what is in force ---------------------------------------------------------------------------
 */

static void report_trouble(struct host *host, struct error *error)
{
	host->callbacks.trouble(error_message(error), false, host->callbacks.userdata);
	error_clear(error);
}

/* The ruleset of an IR, and the table switched to it. */
static int switch_table(
	struct host *host, const struct ir *ir, bool *ret_changed, struct error *error)
{
	_cleanup_(ruleset_clear) struct ruleset plan = {0};
	int r = plan_build_host(ir, &plan, error);

	if (r < 0)
		return r;
	if (host_path_plan_failsafe(&plan, &host->options.failsafe) < 0)
		return error_nomem(error);
	return table_apply(
		host->table, ir, &plan, host->note, clock_ns(CLOCK_MONOTONIC), ret_changed, error);
}

/* Running connections of before, where the table is new. */
static int begin_adoption(struct host *host, const struct ir *ir, struct error *error)
{
	const uint64_t duration_ns = host->options.adoption_ns;
	_cleanup_free_ struct address *own = calloc(ir->addresses_count + 1, sizeof(*own));
	size_t count = 0;

	if (!own)
		return error_nomem(error);
	for (size_t i = 0; i < ir->addresses_count; i++)
		if (ir->addresses[i].workload < 0)
			own[count++] = ir->addresses[i].address;
	return duration_ns ? table_adopt(host->table, own, count, duration_ns,
				     clock_ns(CLOCK_MONOTONIC), error)
			   : 0;
}

static int rebuild(struct host *host, struct error *error)
{
	bool changed;
	int r;

	r = switch_table(host, host->policy, &changed, error);
	return r ? r : connections_revoke(host->connections, NULL, error);
}

static void repair(struct host *host, const struct intrusion *intrusion)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	uint64_t start_ns = clock_ns(CLOCK_MONOTONIC);

	table_doubt(host->table, intrusion->damage);
	/* Before the first policy there is nothing to go by; it writes everything. */
	if (!host->policy)
		return;
	(void)rebuild(host, &error);
	repairs_add(&host->repairs, intrusion, clock_ns(CLOCK_MONOTONIC) - start_ns, &error,
		&host->callbacks);
}

static void on_intrusion(const struct intrusion *intrusion, void *userdata)
{
	repair(userdata, intrusion);
}

/* What the watch has not seen, or a repair has not mended. */
static void sweep(struct host *host)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct intrusion unseen = {.table = LAYOUT_HOST_TABLE,
		.inet = true,
		.damage = TABLE_EDITED,
		.who = WATCH_SOMEBODY};
	bool there = table_is_there(host->table);

	if (table_sweep(host->table, clock_ns(CLOCK_MONOTONIC), &error) < 0 && there &&
		table_is_there(host->table))
		report_trouble(host, &error);
	if (table_is_sound(host->table))
		return;
	if (!table_is_there(host->table))
		unseen.damage = TABLE_REMOVED;
	repair(host, &unseen);
}

static int on_tick(sd_event_source *source, uint64_t time_us, void *userdata)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct host *host = userdata;

	if (refusals_collect(host->refusals, &error) < 0)
		report_trouble(host, &error);
	settings_hold(&host->settings, &host->callbacks);
	sweep(host);
	if (++host->ticks % TICKS_PER_CONNECTION_LIST == 0 &&
		connections_collect(host->connections, &error) < 0)
		report_trouble(host, &error);
	sd_event_source_set_time(source, time_us + TICK_US);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* --- its parts ----------------------------------------------------------------------------------
 */

static void close_parts(struct host *host)
{
	host->timer = sd_event_source_disable_unref(host->timer);
	watch_free(host->watch);
	host->watch = NULL;
	refusals_free(host->refusals);
	connections_free(host->connections);
	host->refusals = NULL;
	host->connections = NULL;
	snapshot_free(host->policy);
	host->policy = NULL;
	free(host->local);
	host->local = NULL;
}

static int open_parts(struct host *host, struct error *error)
{
	const struct watch_scope scope = {.table = LAYOUT_HOST_TABLE};
	const struct connections_options judged = {
		is_failsafe, host, .client = find_client, .adoption_ns = host->options.adoption_ns};
	const struct refusals_options options = {
		.table = LAYOUT_HOST_TABLE,
		.nflog_group = host->options.nflog_group,
		.callbacks = &host->callbacks,
		.adopt = adopt,
		.userdata = host,
	};
	uint64_t now_us;
	int r;

	if (*table_note(host->table))
		snprintf(host->note, sizeof(host->note), "%s", table_note(host->table));
	else
		sysctls_note(SYSCTLS_CONNTRACK, host->note);
	r = sysctls_turn_on(SYSCTLS_CONNTRACK, NULL, error);
	if (!r)
		r = connections_open(
			&host->filter, &judged, host->event, &host->connections, error);
	if (!r)
		r = refusals_open(&options, host->event, &host->refusals, error);
	if (!r)
		r = watch_open(host->event, &scope, on_intrusion, host, &host->watch, error);
	if (r < 0)
		return r;
	sd_event_now(host->event, CLOCK_MONOTONIC, &now_us);
	r = sd_event_add_time(
		host->event, &host->timer, CLOCK_MONOTONIC, now_us + TICK_US, 0, on_tick, host);
	return r < 0 ? error_errno(error, r, "start timer") : 0;
}

static void host_free(struct host *host)
{
	close_parts(host);
	table_free(host->table);
	sd_event_unref(host->event);
	free(host);
}

DEFINE_CLEANUP(struct host *, host_free)

int host_open(const struct host_options *options, const struct dataplane_callbacks *callbacks,
	sd_event *event, struct host **ret, struct error *error)
{
	_cleanup_(host_freep) struct host *host = calloc(1, sizeof(*host));

	if (!host)
		return error_nomem(error);
	host->options = *options;
	host->callbacks = *callbacks;
	host->settings.scope = SYSCTLS_CONNTRACK;
	host->filter = (struct dataplane_callbacks){.flow = on_connection, .userdata = host};
	host->event = sd_event_ref(event);
	/* A kernel without nf_tables does as long as nobody wants policy on the node. */
	(void)table_open(&table_of_host, options->nflog_group, &host->table, NULL);
	*ret = TAKE_PTR(host);
	return 0;
}

/* --- changes ------------------------------------------------------------------------------------
 */

/* No policy binds the node any more: nothing of ours is left on its way. */
static int withdraw(struct host *host, struct error *error)
{
	int r;

	if (!host->table || (host->settled && !host->policy))
		return 0;
	if (host->refusals)
		(void)refusals_drain(host->refusals, NULL);
	if (!*host->note)
		snprintf(host->note, sizeof(host->note), "%s", table_note(host->table));
	r = table_remove(host->table, error);
	if (r < 0)
		return r;
	sysctls_restore(host->note);
	host->note[0] = '\0';
	close_parts(host);
	host->settled = true;
	return 0;
}

static bool *list_local(const struct ir *ir)
{
	bool *local = calloc(ir->subjects_count + 1, sizeof(*local));

	for (size_t i = 0; local && i < ir->subjects_count; i++)
		local[i] = ir_subject_is_bound(&ir->subjects[i]);
	return local;
}

/* The kernel has switched; bring up to it what explains and cuts. */
static int follow(struct host *host, const struct ir *ir, struct ir *policy, bool *local,
	bool changed, struct error *error)
{
	bool first = !host->policy;
	int r;

	/* What an earlier agent did not come to tell is explained by what it left in force. */
	if (first)
		refusals_set_ir(host->refusals, policy);
	r = changed ? refusals_drain(host->refusals, error) : 0;
	refusals_set_ir(host->refusals, policy);
	connections_set_ir(host->connections, policy);
	snapshot_free(host->policy);
	free(host->local);
	host->policy = policy;
	host->local = local;
	host->workloads_count = ir->subjects_count;
	host->settled = true;
	if (!r && (changed || first))
		r = connections_revoke(host->connections, NULL, error);
	return r;
}

static int bind_node(struct host *host, const struct ir *ir, struct error *error)
{
	_cleanup_(snapshot_freep) struct ir *policy = NULL;
	_cleanup_free_ bool *local = list_local(ir);
	bool fresh, changed;
	int r = 0;

	if (!host->table)
		return error_set(error, -EOPNOTSUPP, "the kernel has no nf_tables");
	fresh = !table_is_there(host->table);
	if (!local || snapshot_new_host(ir, &policy) < 0)
		return error_nomem(error);
	if (!host->refusals)
		r = open_parts(host, error);
	if (!r)
		r = switch_table(host, ir, &changed, error);
	if (!r && fresh)
		r = begin_adoption(host, ir, error);
	if (!r)
		return follow(host, ir, TAKE_PTR(policy), TAKE_PTR(local), changed, error);
	if (!host->policy)
		close_parts(host);
	return r;
}

int host_apply(struct host *host, const struct ir *ir, struct error *error)
{
	int r = ir_subject_is_bound(&ir->host) ? bind_node(host, ir, error) : withdraw(host, error);

	return r < 0 ? error_context(error, r, "enforce policy on the node") : 0;
}

int host_collect(struct host *host, struct error *error)
{
	int r = host->refusals ? refusals_collect(host->refusals, error) : 0;

	return !r && host->connections ? connections_collect(host->connections, error) : r;
}

json_t *host_describe(struct host *host)
{
	char failsafe[FAILSAFE_TEXT_MAX];
	json_int_t used = host->connections ? (json_int_t)connections_count(host->connections) : 0;
	json_t *counters = host->policy ? describe_counters(LAYOUT_HOST_TABLE) : json_object();

	return json_pack("{s:b, s:s, s:I, s:o, s:I, s:o}", "bound", host->policy != NULL,
		"failsafe", failsafe_format(&host->options.failsafe, failsafe), "connections", used,
		"counters", counters, "lost",
		host->refusals ? (json_int_t)refusals_overflow(host->refusals) : 0, "repairs",
		repairs_describe(&host->repairs, host->watch ? watch_overruns(host->watch) : 0));
}

void host_close(struct host *host, bool detach)
{
	if (host->connections)
		(void)connections_collect(host->connections, NULL);
	if (host->refusals)
		(void)refusals_drain(host->refusals, NULL);
	if (detach) {
		host->settled = false;
		(void)withdraw(host, NULL);
	}
	host_free(host);
}
