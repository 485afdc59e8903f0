/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workload/docker_containers.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "workload/docker_interfaces.h"
#include "workload/docker_labels.h"
#include "workload/netns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A start that takes longer than this is in trouble itself. */
#define INSPECT_TIMEOUT_MS 30000
#define RETRY_USEC         1000000ULL
#define NSEC_PER_SEC       1000000000ULL

/* A look that is under way or wanted, or one that ended in trouble. */
struct look {
	char id[DOCKER_ID_LENGTH + 1];
	struct docker_containers *containers;
	struct docker_request *request; /* NULL: none is under way */
	bool again;                     /* asked for since the request left */
	bool retry;                     /* when the timer says so */
	char *trouble;
	UT_hash_handle hh;
};

struct docker_containers {
	struct docker_http *http;
	struct registry *registry;
	struct look *looks;
	sd_event_source *retry;
	uint64_t begin_ns;
	void (*trouble)(void *userdata);
	void *userdata;
};

static struct look *find(const struct docker_containers *containers, const char *id)
{
	struct look *look;

	HASH_FIND_STR(containers->looks, id, look);
	return look;
}

static void drop(struct look *look)
{
	HASH_DEL(look->containers->looks, look);
	docker_request_cancel(look->request);
	free(look->trouble);
	free(look);
}

static void set_trouble(struct look *look, const char *message)
{
	char *trouble = NULL;

	if (message && asprintf(&trouble, "container %.12s: %s", look->id, message) < 0)
		trouble = NULL;
	free(look->trouble);
	look->trouble = trouble;
	look->containers->trouble(look->containers->userdata);
}

static void retry_later(struct look *look, const char *message)
{
	look->retry = true;
	sd_event_source_set_time_relative(look->containers->retry, RETRY_USEC);
	sd_event_source_set_enabled(look->containers->retry, SD_EVENT_ONESHOT);
	set_trouble(look, message);
}

/* --- what an answer means --------------------------------------------------------------------- */

static int find_interfaces(struct docker_container *container, struct error *error)
{
	struct netns_interface *inside = NULL;
	const char *where = container->sandbox;
	char path[64];
	size_t count;
	int r = -ENOENT;

	/* The sandbox outlives the process, whose number somebody else may have by now; but the
	 * runtime may have it in a mount namespace of its own. */
	if (container->sandbox)
		r = netns_list_interfaces(container->sandbox, &inside, &count, error);
	if (r < 0) {
		snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)container->pid);
		where = path;
		r = netns_list_interfaces(path, &inside, &count, error);
	}
	if (r < 0)
		return r;
	r = docker_match_interfaces(container->workload, where, inside, count);
	netns_interfaces_free(inside, count);
	return r < 0 ? error_nomem(error) : 0;
}

/* Puts the container into the registry, or takes it out. On failure it is as it was. */
static int take(struct look *look, const json_t *document, char **problem, struct error *error)
{
	_cleanup_(docker_container_clear) struct docker_container container = {0};
	struct registry *registry = look->containers->registry;
	int r;

	r = docker_parse_container(document, &container, error);
	if (r < 0)
		return r;
	if (!container.workload)
		return registry_remove(registry, DOCKER_SOURCE, look->id);
	if (strcmp(container.workload->id, look->id) != 0)
		return error_set(error, -EBADMSG, "the answer is about another container");
	container.workload->adopt = container.workload->started_ns <= look->containers->begin_ns;
	if (!container.workload->host_network) {
		r = find_interfaces(&container, error);
		if (r < 0)
			return r;
	}
	*problem = TAKE_PTR(container.problem);
	r = registry_put(registry, TAKE_PTR(container.workload));
	return r < 0 ? error_errno(error, r, "register the workload") : 0;
}

static int parse_answer(
	struct look *look, const struct docker_answer *answer, char **problem, struct error *error)
{
	_cleanup_free_ char *message = NULL;
	json_error_t where = {.text = "out of memory"};
	json_t *document;
	int r;

	if (answer->status == 0)
		return error_set(error, -EIO, "%s", answer->problem);
	if (answer->status == 404)
		return registry_remove(look->containers->registry, DOCKER_SOURCE, look->id);
	document = docker_json(answer->body, answer->size, &where);
	if (answer->status != 200) {
		message = docker_label_text(docker_string(document, "message"));
		r = error_set(
			error, -EIO, "HTTP status %ld: %s", answer->status, message ? message : "");
	} else if (!document) {
		r = error_set(error, -EBADMSG, "the answer is not JSON: %s", where.text);
	} else {
		r = take(look, document, problem, error);
	}
	json_decref(document);
	return r;
}

static int start(struct look *look);

static void on_answer(const struct docker_answer *answer, void *userdata)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_free_ char *problem = NULL;
	struct look *look = userdata;
	bool again = look->again;
	int r;

	look->request = NULL;
	r = parse_answer(look, answer, &problem, &error);
	if (r < 0)
		retry_later(look, error_message(&error));
	else if (problem || look->trouble)
		set_trouble(look, problem);
	if (again)
		r = start(look);
	if (r >= 0 && !look->request && !look->trouble)
		drop(look);
}

/* --- asking ----------------------------------------------------------------------------------- */

static int start(struct look *look)
{
	const struct docker_request_callbacks callbacks = {.done = on_answer, .userdata = look};
	char path[sizeof("/containers//json") + DOCKER_ID_LENGTH];
	int r;

	snprintf(path, sizeof(path), "/containers/%s/json", look->id);
	look->again = false;
	look->retry = false;
	r = docker_http_get(
		look->containers->http, path, INSPECT_TIMEOUT_MS, &callbacks, &look->request);
	if (r < 0)
		retry_later(look, "out of memory");
	return r;
}

int docker_containers_look(struct docker_containers *containers, const char *id)
{
	struct look *look = find(containers, id);

	if (look && look->request) {
		look->again = true;
		return 0;
	}
	if (look)
		return start(look);
	look = calloc(1, sizeof(*look));
	if (!look)
		return -ENOMEM;
	look->containers = containers;
	strncpy(look->id, id, sizeof(look->id) - 1);
	HASH_ADD_STR(containers->looks, id, look);
	if (!HASH_ADDED(look)) {
		free(look);
		return -ENOMEM;
	}
	return start(look);
}

int docker_containers_remove(struct docker_containers *containers, const char *id)
{
	struct look *look = find(containers, id);

	if (look) {
		bool troubled = look->trouble;

		drop(look);
		if (troubled)
			containers->trouble(containers->userdata);
	}
	return registry_remove(containers->registry, DOCKER_SOURCE, id);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct docker_containers *containers = userdata;
	struct look *look, *next;

	(void)source;
	(void)usec;
	HASH_ITER (hh, containers->looks, look, next) {
		if (look->retry && !look->request)
			start(look);
	}
	return 0;
}

int docker_containers_new(struct docker_http *http, struct registry *registry, sd_event *event,
	void (*trouble)(void *userdata), void *userdata, struct docker_containers **ret)
{
	_cleanup_(docker_containers_freep) struct docker_containers *containers =
		calloc(1, sizeof(*containers));
	int r;

	if (!containers)
		return -ENOMEM;
	containers->http = http;
	containers->registry = registry;
	containers->trouble = trouble;
	containers->userdata = userdata;
	r = sd_event_add_time_relative(
		event, &containers->retry, CLOCK_MONOTONIC, 0, 0, on_retry, containers);
	if (r >= 0)
		r = sd_event_source_set_enabled(containers->retry, SD_EVENT_OFF);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(containers);
	return 0;
}

void docker_containers_begin(struct docker_containers *containers, struct timespec now)
{
	containers->begin_ns = (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

void docker_containers_reset(struct docker_containers *containers)
{
	struct look *look, *next;

	HASH_ITER (hh, containers->looks, look, next) {
		drop(look);
	}
}

void docker_containers_free(struct docker_containers *containers)
{
	if (!containers)
		return;
	docker_containers_reset(containers);
	sd_event_source_disable_unref(containers->retry);
	free(containers);
}

const char *docker_containers_trouble(const struct docker_containers *containers)
{
	const struct look *look;

	for (look = containers->looks; look; look = look->hh.next)
		if (look->trouble)
			return look->trouble;
	return NULL;
}
