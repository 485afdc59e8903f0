/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events and lists: what to look at next. */
#include "workload/docker_parse.h"

#include "base/cleanup.h"

#include <errno.h>
#include <linux/if.h>
#include <stdlib.h>
#include <string.h>

#define ESCAPED_NUL "\\u0000"

/* Of the same length, so nothing moves. In JSON only strings have backslashes. */
static void replace_nul(char *text, size_t size)
{
	const size_t length = strlen(ESCAPED_NUL);

	for (size_t i = 0; i + length <= size; i++) {
		if (text[i] != '\\')
			continue;
		if (memcmp(text + i, ESCAPED_NUL, length) == 0)
			memcpy(text + i, "\\ufffd", length);
		i++;
	}
}

json_t *docker_json(const char *text, size_t size, json_error_t *problem)
{
	_cleanup_free_ char *copy = NULL;

	if (memmem(text, size, ESCAPED_NUL, strlen(ESCAPED_NUL))) {
		copy = malloc(size);
		if (!copy)
			return NULL;
		memcpy(copy, text, size);
		replace_nul(copy, size);
		text = copy;
	}
	return json_loadb(text, size, JSON_DECODE_INT_AS_REAL, problem);
}

bool docker_id_is_valid(const char *id)
{
	return strlen(id) == DOCKER_ID_LENGTH && strspn(id, "0123456789abcdef") == DOCKER_ID_LENGTH;
}

const char *docker_string(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static bool is_one_of(const char *text, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(text, names[i]) == 0)
			return true;
	return false;
}

/*
 * "die" alone says that a container's processes are gone: "stop" comes behind it, in a restart even
 * behind the next "start". A network's "connect" comes before "start": the look at the container
 * that it causes is answered when the start is done, so the workload is known at once.
 */
static enum docker_event_kind classify(const char *type, const char *action)
{
	static const char *const changed[] = {"start", "restart", "rename", "update"};
	static const char *const gone[] = {"die", "destroy"};
	static const char *const attached[] = {"connect", "disconnect"};
	static const char *const networks[] = {"create", "destroy", "remove"};

	if (strcmp(type, "container") == 0) {
		if (is_one_of(action, changed, ARRAY_SIZE(changed)))
			return DOCKER_EVENT_CONTAINER_CHANGED;
		if (is_one_of(action, gone, ARRAY_SIZE(gone)))
			return DOCKER_EVENT_CONTAINER_GONE;
	} else if (strcmp(type, "network") == 0) {
		if (is_one_of(action, attached, ARRAY_SIZE(attached)))
			return DOCKER_EVENT_CONTAINER_CHANGED;
		if (is_one_of(action, networks, ARRAY_SIZE(networks)))
			return DOCKER_EVENT_NETWORKS_CHANGED;
	}
	return DOCKER_EVENT_OTHER;
}

int docker_parse_event(const json_t *document, struct docker_event *ret, struct error *error)
{
	const json_t *actor = json_object_get(document, "Actor");
	const char *type = docker_string(document, "Type");
	struct docker_event event = {
		.kind = classify(type, docker_string(document, "Action")),
	};
	const char *id;

	if (!json_is_object(document))
		return error_set(error, -EBADMSG, "an event is no JSON object");
	if (event.kind == DOCKER_EVENT_CONTAINER_CHANGED ||
		event.kind == DOCKER_EVENT_CONTAINER_GONE) {
		id = strcmp(type, "network") == 0
			     ? docker_string(json_object_get(actor, "Attributes"), "container")
			     : docker_string(actor, "ID");
		if (!docker_id_is_valid(id))
			return error_set(error, -EBADMSG, "a %s event has no container id", type);
		memcpy(event.id, id, sizeof(event.id));
	}
	*ret = event;
	return 0;
}

static int names_add(struct docker_names *names, const char *name)
{
	char **grown = reallocarray(names->items, names->count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	names->items = grown;
	grown[names->count] = strdup(name);
	if (!grown[names->count])
		return -ENOMEM;
	names->count++;
	return 0;
}

void docker_names_clear(struct docker_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
	*names = (struct docker_names){NULL, 0};
}

int docker_parse_containers(const json_t *document, struct docker_names *ret, struct error *error)
{
	_cleanup_(docker_names_clear) struct docker_names names = {NULL, 0};

	if (!json_is_array(document))
		return error_set(error, -EBADMSG, "the list of containers is no JSON array");
	for (size_t i = 0; i < json_array_size(document); i++) {
		const char *id = docker_string(json_array_get(document, i), "Id");

		if (!docker_id_is_valid(id))
			return error_set(error, -EBADMSG, "container %zu of the list has no id", i);
		if (names_add(&names, id) < 0)
			return error_nomem(error);
	}
	*ret = names;
	names = (struct docker_names){NULL, 0};
	return 0;
}

/* How libnetwork's bridge driver names its bridges; "" where it would be no interface's name. */
static void get_bridge_name(const json_t *network, char name[static IFNAMSIZ])
{
	const json_t *options = json_object_get(network, "Options");
	const char *chosen = docker_string(options, "com.docker.network.bridge.name");
	const char *id = docker_string(network, "Id");

	name[0] = '\0';
	if (chosen[0] != '\0' && strlen(chosen) < IFNAMSIZ)
		memcpy(name, chosen, strlen(chosen) + 1);
	else if (chosen[0] == '\0' && docker_id_is_valid(id))
		snprintf(name, IFNAMSIZ, "br-%.12s", id);
}

int docker_parse_bridges(const json_t *document, struct docker_names *ret, struct error *error)
{
	_cleanup_(docker_names_clear) struct docker_names names = {NULL, 0};

	if (!json_is_array(document))
		return error_set(error, -EBADMSG, "the list of networks is no JSON array");
	for (size_t i = 0; i < json_array_size(document); i++) {
		const json_t *network = json_array_get(document, i);
		char name[IFNAMSIZ];

		if (strcmp(docker_string(network, "Driver"), "bridge") != 0)
			continue;
		get_bridge_name(network, name);
		if (name[0] != '\0' && names_add(&names, name) < 0)
			return error_nomem(error);
	}
	*ret = names;
	names = (struct docker_names){NULL, 0};
	return 0;
}
