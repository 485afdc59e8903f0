/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network namespaces that a file names, as workloads. They may come and go, and so may their
 * interfaces and addresses: the kernel tells of those in every namespace that a veth connects with
 * the agent's; the directory tells of new names; what nothing tells of is looked for again.
 */
#include "workload/source.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "workload/netns.h"
#include "workload/netns_file.h"
#include "workload/rtnetlink.h"

#include <errno.h>
#include <libgen.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>

#define NETNS_SOURCE "netns"
/* A burst of changes, as of "ip netns add" and what follows, is one look. */
#define SETTLE_USEC       10000ULL
#define MISSING_MIN_USEC  20000ULL
#define MISSING_MAX_USEC  1000000ULL
#define EVENTS_PER_WAKEUP 256

struct workload_source {
	char *path;
	char *file_name; /* of path, inside its directory */
	struct registry *registry;
	struct workload_source_callbacks callbacks;
	struct netns_file file;
	struct mnl_socket *changes;
	sd_event_source *io;
	sd_event_source *look; /* timer */
	sd_event_source *file_watch;
	sd_event_source *names_watch; /* of NETNS_DIRECTORY; NULL while it does not exist */
	sd_event *event;
	uint64_t missing_usec; /* how long to wait where something is missing */
	uint64_t due_usec;     /* when the timer goes off; 0: off */
	bool damaged;          /* the file, as last read */
	char *health;
};

static void tell_health(struct workload_source *source, bool healthy, const char *message)
{
	char *told = strdup(message);

	if (source->health && told && strcmp(source->health, told) == 0) {
		free(told);
		return;
	}
	free(source->health);
	source->health = told;
	source->callbacks.health(NETNS_SOURCE, healthy, message, source->callbacks.userdata);
}

/* The earlier of two wishes counts. */
static void look_within(struct workload_source *source, uint64_t delay_usec)
{
	uint64_t now = 0;

	if (sd_event_now(source->event, CLOCK_MONOTONIC, &now) < 0)
		return;
	if (source->due_usec && source->due_usec <= now + delay_usec)
		return;
	source->due_usec = now + delay_usec;
	sd_event_source_set_time(source->look, source->due_usec);
	sd_event_source_set_enabled(source->look, SD_EVENT_ONESHOT);
}

/* --- from a namespace to a workload ------------------------------------------------------------
 */

static bool is_wanted(const struct netns_spec *spec, const struct netns_interface *inside)
{
	return inside->peer && (!spec->interface || strcmp(spec->interface, inside->name) == 0);
}

static int add_interface(struct workload *workload, const struct netns_spec *spec,
	const struct netns_interface *inside)
{
	/* Given addresses belong to the first interface. */
	bool first = workload->interfaces_count == 0;
	const struct address *addresses = inside->addresses;
	size_t count = inside->addresses_count;
	struct workload_interface *interface;
	int r;

	if (spec->addresses_count > 0) {
		addresses = spec->addresses;
		count = first ? spec->addresses_count : 0;
	}
	r = workload_add_interface(workload, &interface);
	if (r < 0)
		return r;
	r = workload_interface_locate(interface, inside, spec->path);
	if (r < 0)
		return r;
	memcpy(interface->mac, inside->mac, sizeof(interface->mac));
	for (size_t i = 0; r == 0 && i < count; i++)
		r = workload_interface_add_address(interface, &addresses[i]);
	return r;
}

static int make_workload(const struct netns_spec *spec, const struct netns_interface *inside,
	size_t count, struct workload **ret)
{
	_cleanup_(workload_freep) struct workload *workload = NULL;
	int r;

	r = workload_new(NETNS_SOURCE, spec->id, spec->namespace, spec->name, &workload);
	if (r < 0)
		return r;
	workload->adopt = true; /* nothing tells how long it has been running */
	workload->observed = spec->addresses_count == 0;
	r = labels_copy(&spec->labels, &workload->labels);
	for (size_t i = 0; r == 0 && i < spec->ports_count; i++)
		r = workload_add_port(workload, spec->ports[i].name, spec->ports[i].protocol,
			spec->ports[i].port);
	for (size_t i = 0; r == 0 && i < count; i++)
		if (is_wanted(spec, &inside[i]))
			r = add_interface(workload, spec, &inside[i]);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(workload);
	return 0;
}

static bool is_complete(const struct workload *workload)
{
	for (size_t i = 0; i < workload->interfaces_count; i++)
		if (workload->interfaces[i].addresses_count > 0)
			return true;
	return false;
}

/* What is in one namespace, as one look at all found it: several workloads may share it. */
struct view {
	const char *path; /* a spec's */
	struct netns_interface *inside;
	size_t count;
	int result; /* of listing them */
	struct error error;
	UT_hash_handle hh;
};

static void views_clear(struct view **views)
{
	struct view *view, *next;

	HASH_ITER (hh, *views, view, next) {
		HASH_DEL(*views, view);
		netns_interfaces_free(view->inside, view->count);
		error_clear(&view->error);
		free(view);
	}
}

/* NULL: out of memory. */
static const struct view *view_of(struct view **views, const struct netns_spec *spec)
{
	struct view *view;

	HASH_FIND_STR(*views, spec->path, view);
	if (view)
		return view;
	view = calloc(1, sizeof(*view));
	if (!view)
		return NULL;
	view->path = spec->path;
	HASH_ADD_KEYPTR(hh, *views, view->path, strlen(view->path), view);
	if (!HASH_ADDED(view)) {
		free(view);
		return NULL;
	}
	view->result = netns_list_interfaces(spec->path, &view->inside, &view->count, &view->error);
	return view;
}

/* Puts the workload of spec, or removes it where its namespace or veth is not there. *ret_complete:
 * there is nothing to wait for. */
static int look_at(struct workload_source *source, const struct netns_spec *spec,
	const struct view *view, bool *ret_complete, struct error *error)
{
	_cleanup_(workload_freep) struct workload *workload = NULL;
	int r;

	*ret_complete = false;
	if (!view)
		return error_nomem(error);
	/* EINVAL: "ip netns add" has made the file, but the namespace is not mounted on it yet. */
	if (view->result == -ENOENT || view->result == -EINVAL)
		return registry_remove(source->registry, NETNS_SOURCE, spec->id);
	if (view->result < 0)
		return error_set(error, view->result, "%s", error_message(&view->error));
	r = make_workload(spec, view->inside, view->count, &workload);
	if (r < 0)
		return error_nomem(error);
	if (workload->interfaces_count == 0)
		return registry_remove(source->registry, NETNS_SOURCE, spec->id);
	*ret_complete = is_complete(workload);
	r = registry_put(source->registry, TAKE_PTR(workload));
	return r < 0 ? error_errno(error, r, "register workload %s", spec->name) : 0;
}

/* --- looking -----------------------------------------------------------------------------------
 */

/* Is it a name of one that the file has? Others come and go as they like. */
static bool is_ours(const struct workload_source *source, const char *name)
{
	for (size_t i = 0; i < source->file.count; i++) {
		const char *path = source->file.items[i].path, *last = strrchr(path, '/');

		if (strcmp(last ? last + 1 : path, name) == 0)
			return true;
	}
	return false;
}

static int on_name(sd_event_source *watch, const struct inotify_event *event, void *userdata)
{
	struct workload_source *source = userdata;

	(void)watch;
	/* Without a name: events were lost. */
	if (event->len > 0 && !is_ours(source, event->name))
		return 0;
	source->missing_usec = MISSING_MIN_USEC;
	look_within(source, 0);
	return 0;
}

static void watch_names(struct workload_source *source)
{
	if (!source->names_watch &&
		sd_event_add_inotify(source->event, &source->names_watch, NETNS_DIRECTORY,
			IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM, on_name, source) < 0)
		source->names_watch = NULL;
}

static void wait_for_missing(struct workload_source *source, size_t missing)
{
	if (missing == 0) {
		source->missing_usec = MISSING_MIN_USEC;
		return;
	}
	look_within(source, source->missing_usec);
	source->missing_usec *= 2;
	if (source->missing_usec > MISSING_MAX_USEC)
		source->missing_usec = MISSING_MAX_USEC;
}

static void tell_result(struct workload_source *source, size_t missing, const struct error *failure)
{
	_cleanup_free_ char *message = NULL;

	if (source->damaged) /* has been told, and is still so */
		return;
	if (failure->code) {
		tell_health(source, false, error_message(failure));
		return;
	}
	if (asprintf(&message, "%s: %zu workloads, %zu of them not there yet", source->path,
		    source->file.count, missing) < 0)
		message = NULL;
	else
		tell_health(source, true, message);
}

static void look_at_all(struct workload_source *source)
{
	__attribute__((cleanup(views_clear))) struct view *views = NULL;
	_cleanup_error_ struct error failure = ERROR_INIT;
	size_t missing = 0;

	watch_names(source);
	for (size_t i = 0; i < source->file.count; i++) {
		const struct netns_spec *spec = &source->file.items[i];
		_cleanup_error_ struct error error = ERROR_INIT;
		bool complete = false;
		int r;

		r = look_at(source, spec, view_of(&views, spec), &complete, &error);
		missing += !complete;
		/* The last failure is told, once the others have been looked at. */
		if (r < 0)
			error_set(&failure, r, "%s", error_message(&error));
	}
	wait_for_missing(source, missing);
	tell_result(source, missing, &failure);
}

static int on_look(sd_event_source *timer, uint64_t usec, void *userdata)
{
	struct workload_source *source = userdata;

	(void)timer;
	(void)usec;
	source->due_usec = 0;
	look_at_all(source);
	return 0;
}

/* --- changes -----------------------------------------------------------------------------------
 */

/* What changed does not matter: it only says when to look. */
static int on_changes(sd_event_source *io, int fd, uint32_t revents, void *userdata)
{
	char buffer[16];
	ssize_t size;

	(void)io;
	(void)revents;
	for (int i = 0; i < EVENTS_PER_WAKEUP; i++) {
		size = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT | MSG_TRUNC);
		if (size < 0 && errno == EAGAIN)
			break;
	}
	look_within(userdata, SETTLE_USEC);
	return 0;
}

/* All namespaces that this one has a number for: that is, those that a veth leads to. */
static int follow_changes(struct workload_source *source, struct error *error)
{
	const unsigned int groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
	const int on = 1;
	int fd, r;

	r = rtnetlink_open(groups, &source->changes, error);
	if (r < 0)
		return r;
	fd = mnl_socket_get_fd(source->changes);
	if (setsockopt(fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &on, sizeof(on)) < 0)
		return error_errno(error, -errno, "listen to all network namespaces");
	r = sd_event_add_io(source->event, &source->io, fd, EPOLLIN, on_changes, source);
	return r < 0 ? error_errno(error, r, "listen to all network namespaces") : 0;
}

/* The former workloads stay where the new file is wrong. */
static int reload(struct workload_source *source, struct error *error)
{
	struct netns_file file = {NULL, 0};
	_cleanup_free_ const char **ids = NULL;
	int r;

	r = netns_file_load(source->path, &file, error);
	source->damaged = r < 0;
	if (r < 0)
		return r;
	ids = calloc(file.count + 1, sizeof(*ids));
	if (!ids) {
		netns_file_clear(&file);
		return error_nomem(error);
	}
	for (size_t i = 0; i < file.count; i++)
		ids[i] = file.items[i].id;
	registry_retain(source->registry, NETNS_SOURCE, ids, file.count);
	netns_file_clear(&source->file);
	source->file = file;
	source->missing_usec = MISSING_MIN_USEC;
	return 0;
}

static int netns_refresh(struct workload_source *source, struct error *error)
{
	int r = reload(source, error);

	if (r < 0)
		tell_health(source, false, error_message(error));
	look_within(source, 0);
	return r;
}

static int on_file(sd_event_source *watch, const struct inotify_event *event, void *userdata)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct workload_source *source = userdata;

	(void)watch;
	if (event->len > 0 && strcmp(event->name, source->file_name) == 0)
		netns_refresh(source, &error); /* told as health */
	return 0;
}

/* Its directory: editors put a new file in the place of the old one. */
static int watch_file(struct workload_source *source, struct error *error)
{
	_cleanup_free_ char *copy = strdup(source->path), *directory = strdup(source->path);
	int r;

	if (!copy || !directory)
		return error_nomem(error);
	source->file_name = strdup(basename(copy));
	if (!source->file_name)
		return error_nomem(error);
	r = sd_event_add_inotify(source->event, &source->file_watch, dirname(directory),
		IN_CLOSE_WRITE | IN_MOVED_TO, on_file, source);
	return r < 0 ? error_errno(error, r, "watch the directory of %s", source->path) : 0;
}

/* --- the source --------------------------------------------------------------------------------
 */

static void netns_close(struct workload_source *source)
{
	if (!source)
		return;
	sd_event_source_disable_unref(source->io);
	sd_event_source_disable_unref(source->look);
	sd_event_source_disable_unref(source->file_watch);
	sd_event_source_disable_unref(source->names_watch);
	if (source->changes)
		mnl_socket_close(source->changes);
	netns_file_clear(&source->file);
	sd_event_unref(source->event);
	free(source->path);
	free(source->file_name);
	free(source->health);
	free(source);
}

DEFINE_CLEANUP(struct workload_source *, netns_close)

static int netns_open(const char *where, struct registry *registry,
	const struct workload_source_callbacks *callbacks, sd_event *event,
	struct workload_source **ret, struct error *error)
{
	_cleanup_(netns_closep) struct workload_source *source = calloc(1, sizeof(*source));
	int r;

	if (!source)
		return error_nomem(error);
	source->registry = registry;
	source->callbacks = *callbacks;
	source->event = sd_event_ref(event);
	source->path = strdup(where);
	if (!source->path)
		return error_nomem(error);
	r = sd_event_add_time_relative(
		event, &source->look, CLOCK_MONOTONIC, 0, 1000, on_look, source);
	if (r >= 0)
		r = sd_event_source_set_enabled(source->look, SD_EVENT_OFF);
	if (r < 0)
		return error_errno(error, r, "add a timer to the event loop");
	r = reload(source, error);
	if (r == 0)
		r = watch_file(source, error);
	if (r == 0)
		r = follow_changes(source, error);
	if (r < 0)
		return r;
	look_at_all(source);
	*ret = TAKE_PTR(source);
	return 0;
}

const struct workload_source_ops netns_source_ops = {
	.name = NETNS_SOURCE,
	.open = netns_open,
	.refresh = netns_refresh,
	.close = netns_close,
};
