/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "early.h"

#include "base/cleanup.h"
#include "deny_reload.h"
#include "early_quarantine.h"
#include "journal.h"
#include "json.h"
#include "uplinks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct xdp_options xdp_options_of(const struct options *options)
{
	return (struct xdp_options){
		.pin_directory = options->pin_directory,
		.deny_lists = options->deny_lists,
		.deny_lists_count = options->deny_lists_count,
		.uplink_limit = options->uplink_limit,
		.workload_limit = options->workload_limit,
		.clsact = options->clsact,
	};
}

static int set_uplinks(struct agent *agent, struct error *error)
{
	_cleanup_free_ struct xdp_interface *uplinks = NULL;
	size_t count;
	int r;

	if (!agent->uplinks)
		return 0;
	r = uplinks_list(agent->uplinks, &uplinks, &count, error);
	if (r < 0)
		return error_context(error, r, "find uplinks");
	return xdp_uplinks_set(agent->early, uplinks, count) < 0 ? error_nomem(error) : 0;
}

int early_apply(struct agent *agent, struct error *error)
{
	int r = set_uplinks(agent, error);

	return r < 0 ? r : xdp_apply(agent->early, error);
}

static void on_uplinks(void *userdata)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	if (early_apply(userdata, &error) < 0)
		journal(JOURNAL_ERROR, "%s", error_message(&error));
}

int early_open(struct agent *agent, struct error *error)
{
	const struct options *options = agent->options;
	const struct xdp_options of_xdp = xdp_options_of(options);
	_cleanup_error_ struct error unread = ERROR_INIT;
	int r;

	r = xdp_new(&of_xdp, &agent->callbacks, agent->event, &agent->early, error);
	if (r < 0)
		return r;
	if (options->deny_lists_count || options->uplink_limit) {
		r = uplinks_new(agent->event, options->uplinks, options->uplinks_count, on_uplinks,
			agent, &agent->uplinks, error);
		if (r < 0)
			return r;
	}
	if (xdp_deny_lists_load(agent->early, &unread) < 0) {
		error_context(&unread, unread.code, "the former deny lists stay in force");
		agent->callbacks.trouble(error_message(&unread), false, agent);
	}
	return set_uplinks(agent, error);
}

void early_close(struct agent *agent)
{
	uplinks_free(agent->uplinks);
	deny_reloads_clear(agent);
	xdp_close(agent->early, agent->options->remove_on_exit);
}

static void ignore_flow(const struct flow_event *event, void *userdata)
{
	(void)event;
	(void)userdata;
}

static void ignore_trouble(const char *message, bool repaired, void *userdata)
{
	(void)message;
	(void)repaired;
	(void)userdata;
}

int early_remove(const struct options *options, struct error *error)
{
	const struct xdp_options of_xdp = xdp_options_of(options);
	const struct dataplane_callbacks callbacks = {
		.flow = ignore_flow, .trouble = ignore_trouble};
	_cleanup_(sd_event_unrefp) sd_event *event = NULL;
	struct xdp *xdp;
	int r;

	r = sd_event_new(&event);
	if (r < 0)
		return error_errno(error, r, "make an event loop");
	r = xdp_new(&of_xdp, &callbacks, event, &xdp, error);
	if (r < 0)
		return error_context(error, r, "remove early dropping");
	xdp_close(xdp, true);
	return 0;
}

static size_t count_interfaces(const struct registry *registry)
{
	size_t count = 0;

	for (size_t i = 0; i < registry_count(registry); i++)
		count += registry_at(registry, i)->interfaces_count;
	return count;
}

static int set_workloads(struct agent *agent)
{
	const struct registry *registry = agent->registry;
	_cleanup_free_ struct xdp_interface *interfaces =
		calloc(count_interfaces(registry) + 1, sizeof(*interfaces));
	size_t count = 0;

	if (!interfaces)
		return -ENOMEM;
	for (size_t i = 0; i < registry_count(registry); i++) {
		const struct workload *workload = registry_at(registry, i);

		for (size_t j = 0; j < workload->interfaces_count; j++) {
			const struct workload_interface *interface = &workload->interfaces[j];

			if (!interface->ifindex)
				continue;
			interfaces[count] =
				(struct xdp_interface){.ifindex = interface->ifindex, .veth = true};
			memcpy(interfaces[count++].name, interface->name, sizeof(interface->name));
		}
	}
	return xdp_workloads_set(agent->early, interfaces, count);
}

void early_workloads_changed(struct agent *agent)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	int r = 0;

	if (agent->options->workload_limit)
		r = set_workloads(agent);
	if (r < 0)
		error_nomem(&error);
	else
		r = early_quarantine_set(agent, &error);
	if (r < 0)
		journal(JOURNAL_ERROR, "%s", error_message(&error));
}

void early_merge_counters(struct agent *agent, json_t *plane)
{
	json_t *counters = json_object_get(plane, "counters"), *value;
	_cleanup_json_ json_t *early = xdp_describe(agent->early);
	const char *reason;

	/* The reasons are early dropping's own, so there is nothing to add up. */
	json_object_foreach (json_object_get(early, "counters"), reason, value) {
		json_object_set(counters, reason, value);
	}
	json_object_set(plane, "early", early);
}
