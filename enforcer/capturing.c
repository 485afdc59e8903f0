/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capturing.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "capture/capture_file.h"
#include "journal.h"
#include "workload/rtnetlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

#define TOLD_PAGES_MAX 64 /* of connections, which a capture is told of */

/* --- the node's interfaces ----------------------------------------------------------------------
 */

static char *write_name(const struct workload *workload)
{
	char *name;

	return asprintf(&name, "%s/%s", workload->namespace, workload->name) < 0 ? NULL : name;
}

static int add_interface(struct view *view, const struct workload *workload,
	const struct workload_interface *interface, const bool is_wanted[static 2])
{
	struct view_interface *added;
	int r = view_add_interface(view, &added);

	if (r < 0)
		return r;
	added->ifindex = interface->netns ? interface->inside : interface->ifindex;
	added->number = interface->ifindex;
	memcpy(added->name, interface->name, sizeof(added->name));
	memcpy(added->mac, interface->mac, sizeof(added->mac));
	memcpy(added->is_wanted, is_wanted, sizeof(added->is_wanted));
	added->netns = interface->netns ? strdup(interface->netns) : NULL;
	added->workload = write_name(workload);
	if ((interface->netns && !added->netns) || !added->workload)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < interface->addresses_count; i++)
		r = view_add_address(added, &interface->addresses[i]);
	return r;
}

static bool has_any_of(const struct workload_interface *interface, const struct view_end *end)
{
	for (size_t i = 0; i < interface->addresses_count; i++)
		for (size_t k = 0; k < end->addresses_count; k++)
			if (address_equal(&interface->addresses[i], &end->addresses[k]))
				return true;
	return false;
}

/* Before a workload's addresses are added to its end: an address that was asked for is at one
 * interface alone. */
static int add_workload(struct view *view, const struct workload *workload,
	const struct workload *const ends[static 2])
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < workload->interfaces_count; i++) {
		const struct workload_interface *interface = &workload->interfaces[i];
		const bool is_wanted[2] = {
			workload == ends[0] || has_any_of(interface, &view->ends[0]),
			workload == ends[1] || has_any_of(interface, &view->ends[1])};

		if (interface->ifindex && !workload->host_network)
			r = add_interface(view, workload, interface, is_wanted);
		for (size_t k = 0; r == 0 && k < interface->addresses_count; k++)
			for (int end = 0; r == 0 && end < 2; end++)
				if (workload == ends[end])
					r = view_end_add(
						&view->ends[end], &interface->addresses[k]);
	}
	return r;
}

/* An interface of a workload learns its bridge; another one is added. */
static int on_link(const struct nlmsghdr *message, void *userdata)
{
	struct view *view = userdata;
	struct view_interface *added;
	struct rtnetlink_link link;
	int r;

	if (!rtnetlink_parse_link(message, &link))
		return 0;
	for (size_t i = 0; i < view->interfaces_count; i++) {
		struct view_interface *interface = &view->interfaces[i];

		if (interface->netns || interface->ifindex != link.ifindex)
			continue;
		interface->master = link.master;
		return 0;
	}
	r = view_add_interface(view, &added);
	if (r < 0)
		return r;
	added->ifindex = added->number = link.ifindex;
	memcpy(added->name, link.name, sizeof(added->name));
	added->master = link.master;
	added->is_bridge = link.bridge;
	return 0;
}

static int add_links(struct view *view, struct error *error)
{
	_cleanup_(rtnetlink_closep) struct mnl_socket *socket = NULL;
	int r = rtnetlink_open(0, &socket, error);

	return r < 0 ? r : rtnetlink_dump(socket, RTM_GETLINK, on_link, view, error);
}

static int resolve_end(const struct agent *agent, const char *reference, struct view_end *end,
	const struct workload **ret, struct error *error)
{
	struct address address;
	bool ambiguous;

	end->is_any = !reference;
	if (!reference)
		return 0;
	if (address_parse(reference, &address) == 0)
		return view_end_add(end, &address) < 0 ? error_nomem(error) : 0;
	*ret = registry_find(agent->registry, reference, &ambiguous);
	end->is_workload = *ret;
	if (*ret) {
		end->workload = write_name(*ret);
		return end->workload ? 0 : error_nomem(error);
	}
	return ambiguous ? error_set(error, -EEXIST,
				   "several workloads are called %s: say namespace/name", reference)
			 : error_set(error, -ENOENT, "no workload is called %s", reference);
}

static int fill_view(const struct agent *agent, const char *const ends[static 2], struct view *view,
	struct error *error)
{
	const struct workload *wanted[2] = {NULL, NULL};
	int r = 0;

	for (int end = 0; r == 0 && end < 2; end++)
		r = resolve_end(agent, ends[end], &view->ends[end], &wanted[end], error);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < registry_count(agent->registry); i++)
		r = add_workload(view, registry_at(agent->registry, i), wanted);
	if (r < 0)
		return error_nomem(error);
	view->judges_at_interface = agent->plane_ops == &bpf_dataplane_ops;
	r = add_links(view, error);
	if (r < 0)
		return r;
	return view_finish(view) < 0 ? error_nomem(error) : 0;
}

static int make_view(
	const char *const ends[static 2], struct view *ret, void *userdata, struct error *error)
{
	_cleanup_(view_clear) struct view view = {0};
	int r = fill_view(userdata, ends, &view, error);

	if (r < 0)
		return r;
	*ret = view;
	view = (struct view){0};
	return 0;
}

static uint64_t count_changes(void *userdata)
{
	const struct agent *agent = userdata;

	return registry_changes(agent->registry);
}

/* --- policy and connections ---------------------------------------------------------------------
 */

static const struct ir *policy(uint64_t *ret_generation, void *userdata)
{
	const struct agent *agent = userdata;

	*ret_generation = agent->generation;
	return agent->ir;
}

struct telling {
	void (*add)(const struct packet_ends *ends, uint64_t last_ns, void *capture);
	void *capture;
};

static void on_connection(const struct dump_flow *flow, void *userdata)
{
	const struct flow_event *event = &flow->event;
	const struct telling *telling = userdata;
	struct packet_ends ends = {
		.source_port = event->source_port,
		.destination_port = event->destination_port,
		.protocol = event->protocol,
	};

	/* Of ICMP the identifier is not told; its next query opens it again. */
	if (event->protocol == IPPROTO_ICMP || event->protocol == IPPROTO_ICMPV6)
		return;
	memcpy(ends.source, event->source.bytes, sizeof(ends.source));
	memcpy(ends.destination, event->destination.bytes, sizeof(ends.destination));
	telling->add(
		&ends, event->end_ns ? event->end_ns : clock_ns(CLOCK_REALTIME), telling->capture);
}

static int tell_connections(
	void (*add)(const struct packet_ends *ends, uint64_t last_ns, void *capture), void *capture,
	void *userdata, struct error *error)
{
	struct agent *agent = userdata;
	struct telling telling = {add, capture};
	const struct dump dump = {
		.table = DATAPLANE_CONNECTIONS,
		.ir = agent->ir,
		.flow = on_connection,
		.userdata = &telling,
	};
	struct dump_cursor cursor = {0};
	int r = 1;

	for (int page = 0; r > 0 && page < TOLD_PAGES_MAX; page++)
		r = agent->plane_ops->dump(agent->plane, &dump, &cursor, error);
	if (r < 0)
		return error_context(error, r, "read the connections that stand");
	return r;
}

struct capture_world capturing_world(struct agent *agent)
{
	return (struct capture_world){
		.view = make_view,
		.changes = count_changes,
		.policy = policy,
		.connections = tell_connections,
		.adopts_until_ns = agent->started_ns + agent->options->adoption_ns,
		.ethertypes = agent->options->ethertypes,
		.userdata = agent,
	};
}

/* --- into files ---------------------------------------------------------------------------------
 */

static void on_failed(const char *path, const struct error *error)
{
	journal(JOURNAL_ERROR, "the capture into %s ends: %s", path, error_message(error));
}

static int open_files(struct agent *agent, struct error *error)
{
	_cleanup_free_ char *directory = NULL;

	if (agent->captures)
		return 0;
	if (asprintf(&directory, "%s/captures", agent->options->state_directory) < 0) {
		directory = NULL;
		return error_nomem(error);
	}
	return capture_files_new(
		directory, CAPTURING_TOTAL_BYTES, on_failed, &agent->captures, error);
}

int capturing_start_wish(
	struct agent *agent, const struct capture_wish *wish, char **ret_path, struct error *error)
{
	const struct capture_world world = capturing_world(agent);
	_cleanup_free_ char *name = NULL;
	int r = open_files(agent, error);

	if (r < 0)
		return r;
	if (asprintf(&name, "%s-%llu.pcapng", wish->ends[0] ? wish->ends[0] : "all",
		    (unsigned long long)(clock_ns(CLOCK_REALTIME) / 1000)) < 0) {
		name = NULL;
		return error_nomem(error);
	}
	return capture_to_file(agent->captures, name, wish, &world, agent->event, ret_path, error);
}

int capturing_start(struct agent *agent, const char *workload, unsigned int seconds, uint64_t bytes,
	char **ret_path, struct error *error)
{
	const struct capture_wish wish = {
		.ends = {workload, NULL},
		.bytes_max = bytes,
		.duration_ns = seconds * NS_PER_SECOND,
	};

	return capturing_start_wish(agent, &wish, ret_path, error);
}

void capturing_stop(struct agent *agent)
{
	capture_files_free(agent->captures);
	agent->captures = NULL;
}
