/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nftables data plane: table.c enforces, connections.c and refusals.c report, device_guards.c
 * refuses everything on interfaces that nobody knows yet.
 */
#include "dataplane/dataplane.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "dataplane/nft/attached.h"
#include "dataplane/nft/connections.h"
#include "dataplane/nft/describe.h"
#include "dataplane/nft/device_guards.h"
#include "dataplane/nft/device_sources.h"
#include "dataplane/nft/dump.h"
#include "dataplane/nft/ends.h"
#include "dataplane/nft/layout.h"
#include "dataplane/nft/modules.h"
#include "dataplane/nft/plan.h"
#include "dataplane/nft/plan_in_force.h"
#include "dataplane/nft/refusals.h"
#include "dataplane/nft/repairs.h"
#include "dataplane/nft/sampling.h"
#include "dataplane/nft/settings.h"
#include "dataplane/nft/snapshot.h"
#include "dataplane/nft/sysctls.h"
#include "dataplane/nft/table.h"
#include "dataplane/nft/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TICK_US                   UINT64_C(1000000)
#define TICKS_PER_CONNECTION_LIST 30
#define NOTE_MAX                  128

struct dataplane {
	struct dataplane_options options;
	struct dataplane_callbacks callbacks;
	struct dataplane_callbacks named; /* ours, in between: events get the ends' names */
	struct ends ends;
	char note[NOTE_MAX]; /* how to put the kernel's settings back */
	struct table *table;
	struct device_guards *guards;
	struct device_sources *sources;
	struct connections *connections;
	struct refusals *refusals;
	struct sampling *sampling; /* NULL: nobody wants any */
	struct watch *watch;
	struct repairs repairs;
	struct settings settings;
	struct attached_list attached;
	struct ir *policy; /* snapshot of what is in force */
	struct plan_in_force plan;
	sd_event_source *timer;
	unsigned int ticks;
};

static const char *unavailable(void)
{
	struct table *table;

	if (access("/proc/net/netfilter", F_OK) < 0)
		return "the kernel has no netfilter, or /proc is not mounted";
	if (table_open(&table_of_workloads, 0, &table, NULL) < 0)
		return "the kernel has no nf_tables, or this process lacks CAP_NET_ADMIN";
	table_free(table);
	return NULL;
}

static void release(struct dataplane *dataplane)
{
	sd_event_source_disable_unref(dataplane->timer);
	watch_free(dataplane->watch);
	sampling_free(dataplane->sampling);
	refusals_free(dataplane->refusals);
	connections_free(dataplane->connections);
	device_sources_free(dataplane->sources);
	device_guards_free(dataplane->guards);
	table_free(dataplane->table);
	attached_clear(&dataplane->attached);
	snapshot_free(dataplane->policy);
	plan_in_force_forget(&dataplane->plan);
	ends_clear(&dataplane->ends);
	free(dataplane);
}

DEFINE_CLEANUP(struct dataplane *, release)

static void report_trouble(struct dataplane *dataplane, struct error *error)
{
	dataplane->callbacks.trouble(error_message(error), false, dataplane->callbacks.userdata);
	error_clear(error);
}

/* Whom the table treats otherwise stays on its list until that is done. */
static int cut(struct dataplane *dataplane, struct error *error)
{
	int r = connections_revoke(dataplane->connections, table_touched(dataplane->table), error);

	if (!r)
		table_forget_touched(dataplane->table);
	return r;
}

/* Makes the table what the policy in force says, and cuts what came through while it was not. */
static int rebuild(struct dataplane *dataplane, struct error *error)
{
	_cleanup_(ruleset_clear) struct ruleset plan = {0};
	bool changed;
	int r = plan_build(dataplane->policy, &plan, NULL, error);

	plan_in_force_forget(&dataplane->plan);
	if (!r)
		r = table_apply(dataplane->table, dataplane->policy, &plan, dataplane->note,
			clock_ns(CLOCK_MONOTONIC), &changed, error);
	return r ? r : cut(dataplane, error);
}

static int repair_devices(struct dataplane *dataplane, struct error *error)
{
	int r = device_guards_repair(dataplane->guards, error);

	return r ? r : device_sources_repair(dataplane->sources, error);
}

static void repair(struct dataplane *dataplane, const struct intrusion *intrusion)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	uint64_t start_ns = clock_ns(CLOCK_MONOTONIC);
	int r = 0;

	if (intrusion->inet)
		table_doubt(dataplane->table, intrusion->damage);
	/* Before the first policy there is nothing to go by; it writes everything. */
	if (!dataplane->policy)
		return;
	if (intrusion->inet)
		r = rebuild(dataplane, &error);
	if (!r && intrusion->netdev)
		r = repair_devices(dataplane, &error);
	if (!r)
		r = sampling_hold(dataplane->sampling, &error);
	repairs_add(&dataplane->repairs, intrusion, clock_ns(CLOCK_MONOTONIC) - start_ns, &error,
		&dataplane->callbacks);
}

static void on_intrusion(const struct intrusion *intrusion, void *userdata)
{
	repair(userdata, intrusion);
}

/* What the watch has not seen, or a repair has not mended. */
static void sweep(struct dataplane *dataplane)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct intrusion unseen = {
		.table = LAYOUT_TABLE, .inet = true, .damage = TABLE_EDITED, .who = WATCH_SOMEBODY};
	bool there = table_is_there(dataplane->table);

	if (table_sweep(dataplane->table, clock_ns(CLOCK_MONOTONIC), &error) < 0 && there &&
		table_is_there(dataplane->table))
		report_trouble(dataplane, &error);
	if (table_is_sound(dataplane->table))
		return;
	if (!table_is_there(dataplane->table))
		unseen.damage = TABLE_REMOVED;
	repair(dataplane, &unseen);
}

static int on_tick(sd_event_source *source, uint64_t time_us, void *userdata)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct dataplane *dataplane = userdata;

	if (refusals_collect(dataplane->refusals, &error) < 0)
		report_trouble(dataplane, &error);
	settings_hold(&dataplane->settings, &dataplane->callbacks);
	sweep(dataplane);
	if (sampling_hold(dataplane->sampling, &error) < 0)
		report_trouble(dataplane, &error);
	if (device_sources_collect(dataplane->sources, &dataplane->callbacks, &error) < 0)
		report_trouble(dataplane, &error);
	device_guards_prune(dataplane->guards);
	if (cut(dataplane, &error) < 0) /* what could not be cut so far */
		report_trouble(dataplane, &error);
	if (connections_tell_unanswered(dataplane->connections, &error) < 0)
		report_trouble(dataplane, &error);
	if (connections_find_missed(dataplane->connections, &error) < 0)
		report_trouble(dataplane, &error);
	if (++dataplane->ticks % TICKS_PER_CONNECTION_LIST == 0 &&
		connections_collect(dataplane->connections, &error) < 0)
		report_trouble(dataplane, &error);
	sd_event_source_set_time(source, time_us + TICK_US);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static bool adopt(const struct nflog_packet *packet, void *userdata)
{
	const struct dataplane *dataplane = userdata;

	return connections_adopt(dataplane->connections, packet);
}

/* What somebody was told before he opened a connection. */
static void hear_samples(void *userdata)
{
	const struct dataplane *dataplane = userdata;

	sampling_drain(dataplane->sampling);
}

static void on_flow(const struct flow_event *event, void *userdata)
{
	struct dataplane *dataplane = userdata;
	struct flow_event named = *event;

	if (event->type != FLOW_GAP)
		ends_fill(&dataplane->ends, &named);
	dataplane->callbacks.flow(&named, dataplane->callbacks.userdata);
}

static int open_parts(struct dataplane *dataplane, sd_event *event, struct error *error)
{
	const struct refusals_options options = {
		.table = LAYOUT_TABLE,
		.nflog_group = dataplane->options.nflog_group,
		.callbacks = &dataplane->named,
		.adopt = adopt,
		.userdata = dataplane,
	};
	const struct watch_scope scope = {.table = LAYOUT_TABLE, .netdev = true};
	struct connections_options judged = {
		.userdata = dataplane,
		.reliable = true,
		.adoption_ns = dataplane->options.adoption_ns,
		.before = hear_samples,
	};
	uint64_t now_us;
	int r = table_open(
		&table_of_workloads, dataplane->options.nflog_group, &dataplane->table, error);

	if (r < 0)
		return r;
	/* An earlier agent has changed the settings: it knew what they were. */
	if (*table_note(dataplane->table))
		snprintf(dataplane->note, sizeof(dataplane->note), "%s",
			table_note(dataplane->table));
	else
		sysctls_note(SYSCTLS_ALL, dataplane->note);
	judged.inherited = table_adopted(dataplane->table);
	modules_load();
	r = sysctls_turn_on(SYSCTLS_ALL, NULL, error);
	if (!r)
		r = device_guards_open(&dataplane->guards, error);
	if (!r)
		r = device_sources_open(&dataplane->options, &dataplane->sources, error);
	if (!r)
		r = connections_open(
			&dataplane->named, &judged, event, &dataplane->connections, error);
	if (!r)
		r = refusals_open(&options, event, &dataplane->refusals, error);
	if (!r)
		r = sampling_open(&dataplane->options, &dataplane->callbacks, event,
			&dataplane->sampling, error);
	if (!r)
		r = watch_open(event, &scope, on_intrusion, dataplane, &dataplane->watch, error);
	if (r < 0)
		return r;
	settings_hold(&dataplane->settings, &dataplane->callbacks);
	sd_event_now(event, CLOCK_MONOTONIC, &now_us);
	r = sd_event_add_time(
		event, &dataplane->timer, CLOCK_MONOTONIC, now_us + TICK_US, 0, on_tick, dataplane);
	return r < 0 ? error_errno(error, r, "start timer") : 0;
}

static int nft_open(const struct dataplane_options *options,
	const struct dataplane_callbacks *callbacks, sd_event *event, struct dataplane **ret,
	struct error *error)
{
	_cleanup_(releasep) struct dataplane *dataplane = calloc(1, sizeof(*dataplane));
	int r;

	if (!dataplane)
		return error_nomem(error);
	dataplane->options = *options;
	dataplane->callbacks = *callbacks;
	dataplane->named = (struct dataplane_callbacks){.flow = on_flow, .userdata = dataplane};
	r = open_parts(dataplane, event, error);
	if (r < 0)
		return error_context(error, r, "open nftables data plane");
	*ret = TAKE_PTR(dataplane);
	return 0;
}

/* Takes in running connections of attachments that begin with this state. Not those that an earlier
 * agent's table binds: as long as that has stood, conntrack has seen all. */
static int begin_adoption(
	struct dataplane *dataplane, const struct dataplane_state *state, struct error *error)
{
	const uint64_t duration_ns = dataplane->options.adoption_ns;
	_cleanup_free_ struct address *addresses = NULL;
	size_t count;

	if (!duration_ns || (!dataplane->policy && table_adopted(dataplane->table)))
		return 0;
	if (attached_newcomers(&dataplane->attached, state->attachments, state->attachments_count,
		    &addresses, &count) < 0)
		return error_nomem(error);
	/* In one transaction: each has the kernel go through all chains. */
	return count ? table_adopt(dataplane->table, addresses, count, duration_ns,
			       clock_ns(CLOCK_MONOTONIC), error)
		     : 0;
}

static int set_guards(struct dataplane *dataplane, const struct dataplane_state *state,
	bool only_new, struct error *error)
{
	int r = 0;

	for (size_t i = 0; !r && i < state->attachments_count; i++) {
		const struct attachment *attachment = &state->attachments[i];

		if (only_new ? !attached_find(&dataplane->attached, attachment->ifindex)
			     : attachment->workload < 0)
			r = device_guards_add(
				dataplane->guards, attachment->ifindex, attachment->name, error);
		else if (!only_new)
			r = device_guards_remove(dataplane->guards, attachment->ifindex, error);
	}
	return r;
}

/* What fails behind the switch does not undo it. It is told, and tried again by on_tick(). */
static void finish(struct dataplane *dataplane, int r, struct error *error)
{
	if (r >= 0)
		return;
	(void)error_context(error, r, "the new policy is in force, but");
	report_trouble(dataplane, error);
}

/* The kernel has switched; bring up to it what explains and cuts. */
static void follow(struct dataplane *dataplane, struct ir *policy, bool changed)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	bool first = !dataplane->policy;

	if (changed && !first)
		finish(dataplane, refusals_drain(dataplane->refusals, &error), &error);
	refusals_set_ir(dataplane->refusals, policy);
	connections_set_ir(dataplane->connections, policy);
	snapshot_free(dataplane->policy);
	dataplane->policy = policy;
	if (first)
		finish(dataplane, refusals_inherit(dataplane->refusals, &error), &error);
	if (first && changed)
		finish(dataplane, refusals_drain(dataplane->refusals, &error), &error);
	finish(dataplane, cut(dataplane, &error), &error);
}

static int switch_policy(
	struct dataplane *dataplane, const struct dataplane_state *state, struct error *error)
{
	_cleanup_error_ struct error behind = ERROR_INIT;
	_cleanup_(snapshot_freep) struct ir *policy = NULL;
	bool changed;
	int r;

	if (snapshot_new(state->ir, &policy) < 0)
		return error_nomem(error);
	r = plan_in_force_change(&dataplane->plan, dataplane->table, dataplane->policy, state,
		dataplane->note, &changed, error);
	if (!r)
		finish(dataplane, begin_adoption(dataplane, state, &behind), &behind);
	laps_end(state->laps, "write");
	if (r < 0) {
		plan_in_force_forget(&dataplane->plan);
		return r;
	}
	follow(dataplane, TAKE_PTR(policy), changed);
	laps_end(state->laps, "cut");
	return 0;
}

static int nft_apply(
	struct dataplane *dataplane, const struct dataplane_state *state, struct error *error)
{
	_cleanup_error_ struct error behind = ERROR_INIT;
	struct attached_list attached;
	struct ends ends;
	int r;

	connections_read(dataplane->connections);
	if (ends_copy(state->attachments, state->attachments_count, &ends) < 0)
		return error_nomem(error);
	/* Whatever becomes of this state: its interfaces are these. */
	ends_clear(&dataplane->ends);
	dataplane->ends = ends;
	if (attached_copy(state->attachments, state->attachments_count, &attached) < 0)
		return error_nomem(error);
	/* First: a new interface is held to its addresses before its guard falls. */
	r = device_sources_apply(dataplane->sources, state, error);
	laps_end(state->laps, "devices");
	if (!r) {
		r = switch_policy(dataplane, state, error);
		if (r < 0)
			(void)device_sources_revert(dataplane->sources, NULL);
	}
	if (!r)
		finish(dataplane, device_sources_settle(dataplane->sources, &behind), &behind);
	if (!r)
		r = set_guards(dataplane, state, false, error);
	if (r < 0) {
		attached_clear(&attached);
		(void)set_guards(dataplane, state, true, NULL);
		return r;
	}
	attached_clear(&dataplane->attached);
	dataplane->attached = attached;
	return 0;
}

static int nft_guard(
	struct dataplane *dataplane, uint32_t ifindex, const char *name, struct error *error)
{
	if (attached_find(&dataplane->attached, ifindex))
		return 0;
	return device_guards_add(dataplane->guards, ifindex, name, error);
}

static int nft_collect(struct dataplane *dataplane, struct error *error)
{
	int r = refusals_collect(dataplane->refusals, error);

	if (!r)
		r = device_sources_collect(dataplane->sources, &dataplane->callbacks, error);
	return r < 0 ? r : connections_collect(dataplane->connections, error);
}

static json_t *nft_describe(struct dataplane *dataplane)
{
	json_t *description = describe_dataplane(dataplane->table, dataplane->connections,
		dataplane->refusals, &dataplane->attached);

	json_object_set_new(json_object_get(description, "losses"), "sample",
		json_integer((json_int_t)sampling_lost(dataplane->sampling)));
	json_object_set_new(description, "repairs",
		repairs_describe(&dataplane->repairs, watch_overruns(dataplane->watch)));
	device_sources_describe(dataplane->sources, json_object_get(description, "counters"));
	return description;
}

static int nft_dump(struct dataplane *dataplane, const struct dump *dump,
	struct dump_cursor *cursor, struct error *error)
{
	_cleanup_(ruleset_clear) struct ruleset plan = {0};
	const struct dump_view view = {
		.plan = &plan,
		.attached = &dataplane->attached,
		.installed = table_installed(dataplane->table),
		.connections = dataplane->connections,
		.refusals = dataplane->refusals,
	};

	bool named = dump->table == DATAPLANE_ADDRESSES || dump->table == DATAPLANE_CHAINS ||
		     dump->table == DATAPLANE_SETS;
	int r = named ? plan_build(dump->ir, &plan, NULL, error) : 0;

	return r < 0 ? r : dump_page(&view, dump, cursor, error);
}

static void nft_close(struct dataplane *dataplane, bool detach)
{
	/* So that what goes on is on file, whoever hears of its end. */
	(void)connections_collect(dataplane->connections, NULL);
	/* What is left in the sets, the next agent takes for its own. */
	(void)refusals_drain(dataplane->refusals, NULL);
	if (detach) {
		(void)device_guards_remove_all(dataplane->guards, NULL);
		(void)table_remove(dataplane->table, NULL);
		(void)sampling_remove(NULL);
		sysctls_restore(dataplane->note);
	}
	release(dataplane);
}

const struct dataplane_ops nft_dataplane_ops = {
	.name = "nft",
	.unavailable = unavailable,
	.open = nft_open,
	.apply = nft_apply,
	.guard = nft_guard,
	.collect = nft_collect,
	.describe = nft_describe,
	.dump = nft_dump,
	.close = nft_close,
};
