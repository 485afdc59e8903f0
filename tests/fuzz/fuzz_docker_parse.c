/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as what Docker says: an inspect document, an event, a list. What is taken keeps to the
 * bounds and does nothing to a terminal. */
#include "workload/docker_interfaces.h"
#include "workload/docker_parse.h"

#include "base/cleanup.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

static void check_workload(const struct workload *workload)
{
	require(docker_id_is_valid(workload->id));
	require(workload->name[0] && is_printable(workload->name) && !strchr(workload->name, '/'));
	require(workload->namespace[0] && is_printable(workload->namespace) &&
		!strchr(workload->namespace, '/'));
	require(is_printable(workload->image));
	require(workload->labels.count <= DOCKER_LABELS_MAX);
	for (size_t i = 0; i < workload->labels.count; i++) {
		require(is_printable(workload->labels.items[i].key));
		require(is_printable(workload->labels.items[i].value));
		require(strlen(workload->labels.items[i].value) <= DOCKER_LABEL_VALUE_MAX_BYTES);
	}
	for (size_t i = 0; i < workload->interfaces_count; i++)
		require(is_printable(workload->interfaces[i].network));
	require(!workload->host_network || workload->interfaces_count == 0);
}

static void check_container(const json_t *document)
{
	struct netns_interface inside[2] = {{.peer = 7}, {.peer = 8}};
	struct docker_container container = {0};

	if (docker_parse_container(document, &container, NULL) < 0)
		return;
	if (container.workload) {
		size_t interfaces = container.workload->interfaces_count;

		check_workload(container.workload);
		require(docker_match_interfaces(container.workload, "/run/netns/fuzz", inside, 2) ==
			0);
		/* Each veth is somebody's. */
		require(container.workload->interfaces_count >= 2 &&
			container.workload->interfaces_count <= interfaces + 2);
	}
	docker_container_clear(&container);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *document = docker_json((const char *)data, size, NULL);
	struct docker_names names = {NULL, 0};
	struct docker_event event;

	if (!document)
		return 0;
	check_container(document);
	if (docker_parse_event(document, &event, NULL) == 0)
		require(event.id[0] == '\0' || docker_id_is_valid(event.id));
	if (docker_parse_containers(document, &names, NULL) == 0)
		docker_names_clear(&names);
	if (docker_parse_bridges(document, &names, NULL) == 0)
		docker_names_clear(&names);
	json_decref(document);
	return 0;
}
