/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workload/docker_parse.h"

#include "base/cleanup.h"
#include "workload/docker_labels.h"
#include "workload/link_local.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NETWORKS_MAX    256
#define NAME_MAX_BYTES  253
#define SANDBOX_MAX     4095
#define NSEC_PER_SEC    1000000000ULL
#define SHARED_MODE     "container:"
#define SHORT_ID_LENGTH 12

#define COMPOSE_PROJECT      "com.docker.compose.project"
#define KUBERNETES_NAMESPACE "io.kubernetes.pod.namespace"
#define KUBERNETES_NAME      "io.kubernetes.pod.name"

void docker_container_clear(struct docker_container *container)
{
	workload_free(container->workload);
	free(container->sandbox);
	free(container->problem);
	memset(container, 0, sizeof(*container));
}

/* --- names ------------------------------------------------------------------------------------ */

/* A name that can be told apart from its namespace and does nothing to a terminal; NULL: out of
 * memory; "" where nothing is left. */
static char *sanitize(const char *text)
{
	char *name = strndup(text, NAME_MAX_BYTES);

	for (char *c = name; c && *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
			*c = '-';
	return name;
}

static const char *choose(const char *first, const char *second)
{
	return first && first[0] != '\0' ? first : second;
}

/* A pod's containers share the network of its pause container, which stands for the pod, under the
 * pod's name. (Its addresses come from CNI, of which Docker knows nothing.) */
static int make_workload(const json_t *document, const struct labels *labels, struct workload **ret)
{
	const char *id = docker_string(document, "Id");
	const char *given = docker_string(document, "Name");
	_cleanup_free_ char *namespace = NULL, *name = NULL;

	if (given[0] == '/')
		given++;
	namespace = sanitize(choose(labels_get(labels, COMPOSE_PROJECT),
		choose(labels_get(labels, KUBERNETES_NAMESPACE), MODEL_NAMESPACE_DEFAULT)));
	name = sanitize(choose(labels_get(labels, KUBERNETES_NAME), given));
	if (name && name[0] == '\0') {
		free(name);
		name = strndup(id, SHORT_ID_LENGTH);
	}
	if (!namespace || !name)
		return -ENOMEM;
	return workload_new(DOCKER_SOURCE, id, namespace, name, ret);
}

/* --- networks -----------------------------------------------------------------------------------
 */

/* Exactly "02:42:ac:1e:00:02"; sscanf() would take signs and blanks, too. */
static bool parse_mac(const char *text, uint8_t ret[static 6])
{
	uint8_t mac[6];

	for (size_t i = 0; i < 6; i++, text += 3) {
		char digits[3] = {text[0], text[0] ? text[1] : '\0'};

		if (!isxdigit((unsigned char)digits[0]) || !isxdigit((unsigned char)digits[1]) ||
			text[2] != (i < 5 ? ':' : '\0'))
			return false;
		mac[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	memcpy(ret, mac, sizeof(mac));
	return true;
}

static int add_address(struct workload_interface *interface, const json_t *network,
	const char *field, struct error *error)
{
	const char *text = docker_string(network, field);
	struct address address;

	if (text[0] == '\0')
		return 0;
	if (address_parse(text, &address) < 0)
		return error_set(error, -EBADMSG, "%s is not an address", field);
	if (link_local_contains(&address))
		return 0;
	return workload_interface_add_address(interface, &address) < 0 ? error_nomem(error) : 0;
}

static int add_network(
	struct workload *workload, const char *name, const json_t *network, struct error *error)
{
	static const char *const fields[] = {"IPAddress", "GlobalIPv6Address"};
	const char *mac = docker_string(network, "MacAddress");
	struct workload_interface *interface;

	if (mac[0] == '\0') /* not connected yet, or "none" */
		return 0;
	if (workload_add_interface(workload, &interface) < 0)
		return error_nomem(error);
	interface->network = sanitize(name);
	if (!interface->network)
		return error_nomem(error);
	if (!parse_mac(mac, interface->mac))
		return error_set(error, -EBADMSG, "network %s: MacAddress is not a MAC address",
			interface->network);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		int r = add_address(interface, network, fields[i], error);

		if (r < 0)
			return error_context(error, r, "network %s", interface->network);
	}
	return 0;
}

static int add_networks(struct workload *workload, const json_t *settings, struct error *error)
{
	const json_t *networks = json_object_get(settings, "Networks");
	const char *name;
	json_t *network;

	if (json_object_size(networks) > NETWORKS_MAX)
		return error_set(error, -EBADMSG, "is on %zu networks, at most %d are taken",
			json_object_size(networks), NETWORKS_MAX);
	json_object_foreach ((json_t *)networks, name, network) {
		int r = add_network(workload, name, network, error);

		if (r < 0)
			return r;
	}
	return 0;
}

/* --- the document -------------------------------------------------------------------------------
 */

/* RFC 3339, as Go writes it: "2026-11-21T01:21:36.091755524Z". 0: not that. */
static uint64_t parse_time(const char *text)
{
	struct tm fields = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &fields);
	uint64_t fraction = 0, digit = NSEC_PER_SEC / 10;
	long offset = 0;
	int hours, minutes;
	time_t seconds;

	if (!rest)
		return 0;
	if (*rest == '.')
		for (rest++; isdigit((unsigned char)*rest); rest++, digit /= 10)
			fraction += (uint64_t)(*rest - '0') * digit;
	if ((*rest == '+' || *rest == '-') && sscanf(rest + 1, "%2d:%2d", &hours, &minutes) == 2)
		offset = (hours * 60L + minutes) * (*rest == '-' ? -60L : 60L);
	seconds = timegm(&fields) - offset;
	return seconds > 0 ? (uint64_t)seconds * NSEC_PER_SEC + fraction : 0;
}

static int fill_workload(const json_t *document, struct docker_container *container,
	struct labels *labels, struct error *error)
{
	const json_t *configuration = json_object_get(document, "Config");
	const char *image = docker_string(configuration, "Image");
	struct workload *workload;
	int r;

	if (make_workload(document, labels, &container->workload) < 0)
		return error_nomem(error);
	workload = container->workload;
	workload->labels = *labels;
	*labels = (struct labels){NULL, 0};
	workload->image = docker_label_text(image);
	if (!workload->image)
		return error_nomem(error);
	workload->started_ns =
		parse_time(docker_string(json_object_get(document, "State"), "StartedAt"));
	workload->host_network =
		strcmp(docker_string(json_object_get(document, "HostConfig"), "NetworkMode"),
			"host") == 0;
	r = docker_parse_ports(workload, &container->problem);
	if (r < 0)
		return error_nomem(error);
	if (workload->host_network)
		return 0;
	return add_networks(workload, json_object_get(document, "NetworkSettings"), error);
}

static bool shares_network(const json_t *document)
{
	const char *mode = docker_string(json_object_get(document, "HostConfig"), "NetworkMode");

	return strncmp(mode, SHARED_MODE, strlen(SHARED_MODE)) == 0;
}

static int parse_container(
	const json_t *document, struct docker_container *container, struct error *error)
{
	const json_t *state = json_object_get(document, "State");
	const char *sandbox =
		docker_string(json_object_get(document, "NetworkSettings"), "SandboxKey");
	_cleanup_(labels_clear) struct labels labels = {NULL, 0};
	double pid = json_number_value(json_object_get(state, "Pid"));
	int r;

	if (!json_is_object(state) || !docker_id_is_valid(docker_string(document, "Id")))
		return error_set(error, -EBADMSG, "this is no description of a container");
	if (!json_is_true(json_object_get(state, "Running")) || pid <= 0 || pid > INT32_MAX ||
		shares_network(document))
		return 0;
	container->pid = (pid_t)pid;
	if (sandbox[0] == '/' && strlen(sandbox) <= SANDBOX_MAX) {
		container->sandbox = strdup(sandbox);
		if (!container->sandbox)
			return error_nomem(error);
	}
	r = docker_parse_labels(
		json_object_get(json_object_get(document, "Config"), "Labels"), &labels, error);
	return r < 0 ? r : fill_workload(document, container, &labels, error);
}

int docker_parse_container(
	const json_t *document, struct docker_container *ret, struct error *error)
{
	_cleanup_(docker_container_clear) struct docker_container container = {0};
	int r = parse_container(document, &container, error);

	if (r < 0)
		return r;
	*ret = container;
	memset(&container, 0, sizeof(container));
	return 0;
}
