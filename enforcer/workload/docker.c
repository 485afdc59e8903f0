/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Docker (and what speaks its API on a Unix socket, as Podman does). The stream of events and the
 * lists are asked for together; the stream begins with what happened since just before, so nothing
 * happens unseen in between. Events and lists only say which container to look at: what is true is
 * what inspecting it says.
 */
#include "workload/source.h"

#include "base/cleanup.h"
#include "workload/docker_containers.h"
#include "workload/docker_http.h"
#include "workload/docker_parse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LIST_TIMEOUT_MS  30000
#define BACKOFF_MIN_USEC 100000ULL
#define BACKOFF_MAX_USEC 5000000ULL
#define SOCKET_SCHEME    "unix://"
/* {"type":["container","network"]} */
#define EVENT_FILTERS "%7B%22type%22%3A%5B%22container%22%2C%22network%22%5D%7D"

struct workload_source {
	struct registry *registry;
	struct workload_source_callbacks callbacks;
	char *socket_path;
	struct docker_http *http;
	struct docker_containers *containers;
	struct docker_request *events;
	struct docker_request *container_list;
	struct docker_request *network_list;
	bool networks_changed; /* since the request left */
	bool following;        /* the list has come; the stream has not ended */
	struct docker_names bridges;
	sd_event_source *connect;
	uint64_t backoff_usec;
	char *health; /* what was last told; NULL: nothing yet */
};

/* --- health ----------------------------------------------------------------------------------- */

static void tell_health(struct workload_source *source, bool healthy, const char *message)
{
	char *told = strdup(message);

	if (source->health && told && strcmp(source->health, told) == 0) {
		free(told);
		return;
	}
	free(source->health);
	source->health = told;
	source->callbacks.health(DOCKER_SOURCE, healthy, message, source->callbacks.userdata);
}

static void on_trouble(void *userdata)
{
	struct workload_source *source = userdata;
	const char *trouble = docker_containers_trouble(source->containers);
	_cleanup_free_ char *message = NULL;

	if (!source->following)
		return;
	if (trouble)
		tell_health(source, false, trouble);
	else if (asprintf(&message, "following %s", source->socket_path) >= 0)
		tell_health(source, true, message);
	else
		message = NULL;
}

static void cancel_requests(struct workload_source *source)
{
	docker_request_cancel(TAKE_PTR(source->events));
	docker_request_cancel(TAKE_PTR(source->container_list));
	docker_request_cancel(TAKE_PTR(source->network_list));
	docker_containers_reset(source->containers);
	source->following = false;
	source->networks_changed = false;
}

static void schedule(struct workload_source *source, uint64_t delay_usec)
{
	sd_event_source_set_time_relative(source->connect, delay_usec);
	sd_event_source_set_enabled(source->connect, SD_EVENT_ONESHOT);
}

/* What was last known stays in force. */
static void disconnected(struct workload_source *source, const char *doing, const char *why)
{
	_cleanup_free_ char *message = NULL;

	cancel_requests(source);
	schedule(source, source->backoff_usec);
	source->backoff_usec *= 2;
	if (source->backoff_usec > BACKOFF_MAX_USEC)
		source->backoff_usec = BACKOFF_MAX_USEC;
	if (asprintf(&message, "%s at %s: %s", doing, source->socket_path, why) < 0)
		message = NULL;
	tell_health(source, false, message ? message : why);
}

/* --- lists ------------------------------------------------------------------------------------ */

/* Parses an answer by parse. False: it was none, and the connection is given up. */
static bool take_answer(struct workload_source *source, const struct docker_answer *answer,
	const char *doing,
	int (*parse)(const json_t *document, struct docker_names *ret, struct error *error),
	struct docker_names *ret)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	json_error_t where = {.text = "out of memory"};
	json_t *document = NULL;
	int r;

	if (answer->status == 200)
		document = docker_json(answer->body, answer->size, &where);
	if (answer->status == 0)
		r = error_set(&error, -EIO, "%s", answer->problem);
	else if (answer->status != 200)
		r = error_set(&error, -EIO, "HTTP status %ld", answer->status);
	else if (!document)
		r = error_set(&error, -EBADMSG, "the answer is not JSON: %s", where.text);
	else
		r = parse(document, ret, &error);
	json_decref(document);
	if (r < 0)
		disconnected(source, doing, error_message(&error));
	return r == 0;
}

static bool names_contain(const struct docker_names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->items[i], name) == 0)
			return true;
	return false;
}

/* What is known and not listed has ended, or has begun since: only inspecting it can tell. */
static int look_at_unlisted(struct workload_source *source, const struct docker_names *ids)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < registry_count(source->registry); i++) {
		const struct workload *workload = registry_at(source->registry, i);

		if (strcmp(workload->source, DOCKER_SOURCE) == 0 &&
			docker_id_is_valid(workload->id) && !names_contain(ids, workload->id))
			r = docker_containers_look(source->containers, workload->id);
	}
	return r;
}

static void on_containers(const struct docker_answer *answer, void *userdata)
{
	_cleanup_(docker_names_clear) struct docker_names ids = {NULL, 0};
	struct workload_source *source = userdata;
	int r = 0;

	source->container_list = NULL;
	if (!take_answer(source, answer, "list containers", docker_parse_containers, &ids))
		return;
	for (size_t i = 0; r == 0 && i < ids.count; i++)
		r = docker_containers_look(source->containers, ids.items[i]);
	if (r == 0)
		r = look_at_unlisted(source, &ids);
	if (r < 0) {
		disconnected(source, "list containers", strerror(-r));
		return;
	}
	source->following = true;
	source->backoff_usec = BACKOFF_MIN_USEC;
	on_trouble(source);
}

static void tell_bridges(struct workload_source *source, const struct docker_names *names,
	const struct docker_names *except, bool present)
{
	for (size_t i = 0; i < names->count; i++)
		if (!names_contain(except, names->items[i]))
			source->callbacks.bridge(DOCKER_SOURCE, names->items[i], present,
				source->callbacks.userdata);
}

static void list_networks(struct workload_source *source);

static void on_networks(const struct docker_answer *answer, void *userdata)
{
	struct docker_names bridges = {NULL, 0};
	struct workload_source *source = userdata;

	source->network_list = NULL;
	if (!take_answer(source, answer, "list networks", docker_parse_bridges, &bridges))
		return;
	tell_bridges(source, &bridges, &source->bridges, true);
	tell_bridges(source, &source->bridges, &bridges, false);
	docker_names_clear(&source->bridges);
	source->bridges = bridges;
	if (source->networks_changed)
		list_networks(source);
}

static void list_networks(struct workload_source *source)
{
	const struct docker_request_callbacks callbacks = {.done = on_networks, .userdata = source};

	source->networks_changed = source->network_list != NULL;
	if (source->network_list)
		return;
	if (docker_http_get(source->http, "/networks", LIST_TIMEOUT_MS, &callbacks,
		    &source->network_list) < 0)
		disconnected(source, "list networks", "out of memory");
}

static void list_containers(struct workload_source *source)
{
	const struct docker_request_callbacks callbacks = {
		.done = on_containers, .userdata = source};

	docker_request_cancel(TAKE_PTR(source->container_list));
	if (docker_http_get(source->http, "/containers/json", LIST_TIMEOUT_MS, &callbacks,
		    &source->container_list) < 0)
		disconnected(source, "list containers", "out of memory");
}

/* --- events ------------------------------------------------------------------------------------
 */

static void on_event(const char *line, size_t size, void *userdata)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct workload_source *source = userdata;
	struct docker_event event = {0};
	json_t *document = docker_json(line, size, NULL);
	int r;

	r = document ? docker_parse_event(document, &event, &error)
		     : error_set(&error, -EBADMSG, "an event is not JSON");
	json_decref(document);
	if (r == 0 && event.kind == DOCKER_EVENT_CONTAINER_CHANGED)
		r = docker_containers_look(source->containers, event.id);
	else if (r == 0 && event.kind == DOCKER_EVENT_CONTAINER_GONE)
		r = docker_containers_remove(source->containers, event.id);
	else if (r == 0 && event.kind == DOCKER_EVENT_NETWORKS_CHANGED)
		list_networks(source);
	/* An event that was not understood may have been any: list again. */
	if (r < 0)
		disconnected(
			source, "follow events", error.code ? error_message(&error) : strerror(-r));
}

static void on_events_done(const struct docker_answer *answer, void *userdata)
{
	struct workload_source *source = userdata;
	char status[sizeof("HTTP status ") + 20];

	source->events = NULL;
	if (answer->status && answer->status != 200)
		snprintf(status, sizeof(status), "HTTP status %ld", answer->status);
	else
		snprintf(status, sizeof(status), "the stream ended");
	disconnected(source, "follow events", answer->problem ? answer->problem : status);
}

static int on_connect(sd_event_source *timer, uint64_t usec, void *userdata)
{
	struct workload_source *source = userdata;
	const struct docker_request_callbacks callbacks = {
		.line = on_event,
		.done = on_events_done,
		.userdata = source,
	};
	struct timespec now;
	char path[256];

	(void)timer;
	(void)usec;
	clock_gettime(CLOCK_REALTIME, &now);
	docker_containers_begin(source->containers, now);
	snprintf(path, sizeof(path), "/events?since=%" PRIdMAX ".%09ld&filters=%s",
		(intmax_t)now.tv_sec, now.tv_nsec, EVENT_FILTERS);
	if (docker_http_stream(source->http, path, &callbacks, &source->events) < 0)
		disconnected(source, "follow events", "out of memory");
	if (source->events)
		list_networks(source);
	if (source->events)
		list_containers(source);
	return 0;
}

/* --- the source ---------------------------------------------------------------------------------
 */

static void docker_close(struct workload_source *source)
{
	if (!source)
		return;
	docker_containers_free(source->containers);
	docker_http_free(source->http);
	sd_event_source_disable_unref(source->connect);
	docker_names_clear(&source->bridges);
	free(source->socket_path);
	free(source->health);
	free(source);
}

DEFINE_CLEANUP(struct workload_source *, docker_close)

static int docker_open(const char *where, struct registry *registry,
	const struct workload_source_callbacks *callbacks, sd_event *event,
	struct workload_source **ret, struct error *error)
{
	_cleanup_(docker_closep) struct workload_source *source = calloc(1, sizeof(*source));
	int r;

	if (!source)
		return error_nomem(error);
	if (strncmp(where, SOCKET_SCHEME, strlen(SOCKET_SCHEME)) == 0)
		where += strlen(SOCKET_SCHEME);
	source->registry = registry;
	source->callbacks = *callbacks;
	source->backoff_usec = BACKOFF_MIN_USEC;
	source->socket_path = strdup(where);
	if (!source->socket_path)
		return error_nomem(error);
	r = docker_http_new(where, event, &source->http, error);
	if (r < 0)
		return r;
	r = docker_containers_new(
		source->http, registry, event, on_trouble, source, &source->containers);
	if (r >= 0)
		r = sd_event_add_time_relative(
			event, &source->connect, CLOCK_MONOTONIC, 0, 1000, on_connect, source);
	if (r < 0)
		return error_errno(error, r, "follow the runtime at %s", where);
	*ret = TAKE_PTR(source);
	return 0;
}

static int docker_refresh(struct workload_source *source, struct error *error)
{
	(void)error;
	if (source->following) {
		list_networks(source);
		list_containers(source);
	} else if (!source->events) {
		schedule(source, 0);
	}
	return 0;
}

const struct workload_source_ops docker_source_ops = {
	.name = DOCKER_SOURCE,
	.open = docker_open,
	.refresh = docker_refresh,
	.close = docker_close,
};
