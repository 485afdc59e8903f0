/* SPDX-License-Identifier: GPL-2.0-or-later */
/* v1 Pod, as far as policies ask: labels, addresses, named ports, whose network it uses. */
#include "policies/read.h"

#include "base/cleanup.h"
#include "policies/model.h"

#include <errno.h>
#include <netinet/in.h>

static void read_port(struct yaml_reader *reader, yaml_node_t *node, struct model_workload *pod)
{
	static const char *const protocols[] = {"TCP", "UDP", "SCTP"};
	static const uint8_t numbers[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP};
	enum {
		NAME,
		PORT,
		PROTOCOL,
		COUNT
	};
	struct yaml_field fields[COUNT] = {
		[NAME] = {.name = "name"},
		[PORT] = {.name = "containerPort", .required = true},
		[PROTOCOL] = {.name = "protocol"},
	};
	unsigned int protocol = 0;
	const char *name;
	long port;

	if (!yaml_read_mapping(
		    reader, node, "a container's port", fields, COUNT, YAML_IGNORE_UNKNOWN))
		return;
	if (fields[PROTOCOL].node && !yaml_read_choice(reader, fields[PROTOCOL].node, "protocol",
					     protocols, ARRAY_SIZE(protocols), &protocol))
		return;
	if (!fields[PORT].node || !yaml_read_integer(reader, fields[PORT].node, "containerPort", 1,
					  UINT16_MAX, &port))
		return;
	if (fields[NAME].node && yaml_read_string(reader, fields[NAME].node, "name", &name) &&
		model_workload_add_port(pod, name, numbers[protocol], (uint16_t)port) < 0)
		reader->out_of_memory = true;
}

static bool keeps_running(struct yaml_reader *reader, yaml_node_t *restart_policy)
{
	const char *text;

	return restart_policy && yaml_read_string(reader, restart_policy, "restartPolicy", &text) &&
	       !strcmp(text, "Always");
}

static void read_container(
	struct yaml_reader *reader, yaml_node_t *node, bool initial, struct model_workload *pod)
{
	enum {
		PORTS,
		RESTART_POLICY,
		COUNT
	};
	struct yaml_field fields[COUNT] = {
		[PORTS] = {.name = "ports"},
		[RESTART_POLICY] = {.name = "restartPolicy"},
	};
	const yaml_node_item_t *items;
	size_t count;

	if (!yaml_read_mapping(reader, node, "a container", fields, COUNT, YAML_IGNORE_UNKNOWN))
		return;
	/* An initial container serves the pod's life only as a sidecar. */
	if (initial && !keeps_running(reader, fields[RESTART_POLICY].node))
		return;
	if (!fields[PORTS].node ||
		!yaml_read_sequence(reader, fields[PORTS].node, "ports", &items, &count))
		return;
	for (size_t i = 0; i < count; i++)
		read_port(reader, yaml_reader_node(reader, items[i]), pod);
}

static void read_containers(struct yaml_reader *reader, yaml_node_t *node, const char *what,
	bool initial, struct model_workload *pod)
{
	const yaml_node_item_t *items;
	size_t count;

	if (!node || !yaml_read_sequence(reader, node, what, &items, &count))
		return;
	for (size_t i = 0; i < count; i++)
		read_container(reader, yaml_reader_node(reader, items[i]), initial, pod);
}

static void read_spec(struct yaml_reader *reader, yaml_node_t *node, struct model_workload *pod)
{
	enum {
		CONTAINERS,
		INIT_CONTAINERS,
		HOST_NETWORK,
		COUNT
	};
	struct yaml_field fields[COUNT] = {
		[CONTAINERS] = {.name = "containers"},
		[INIT_CONTAINERS] = {.name = "initContainers"},
		[HOST_NETWORK] = {.name = "hostNetwork"},
	};

	if (!yaml_read_mapping(reader, node, "spec", fields, COUNT, YAML_IGNORE_UNKNOWN))
		return;
	read_containers(reader, fields[CONTAINERS].node, "containers", false, pod);
	read_containers(reader, fields[INIT_CONTAINERS].node, "initContainers", true, pod);
	if (fields[HOST_NETWORK].node)
		yaml_read_boolean(
			reader, fields[HOST_NETWORK].node, "hostNetwork", &pod->host_network);
}

static void read_address(struct yaml_reader *reader, yaml_node_t *node, struct model_workload *pod)
{
	struct address address;
	const char *text;

	if (!yaml_read_string(reader, node, "an address", &text))
		return;
	if (address_parse(text, &address) < 0)
		yaml_reader_error(reader, node, "bad-address", "\"%.64s\" is no IP address", text);
	else if (model_workload_add_address(pod, &address) < 0)
		reader->out_of_memory = true;
}

static void read_addresses(
	struct yaml_reader *reader, yaml_node_t *node, struct model_workload *pod)
{
	const yaml_node_item_t *items;
	size_t count;

	if (!yaml_read_sequence(reader, node, "podIPs", &items, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		struct yaml_field field = {.name = "ip", .required = true};

		if (yaml_read_mapping(reader, yaml_reader_node(reader, items[i]), "podIPs", &field,
			    1, YAML_IGNORE_UNKNOWN) &&
			field.node)
			read_address(reader, field.node, pod);
	}
}

static void read_status(struct yaml_reader *reader, yaml_node_t *node, struct model_workload *pod)
{
	enum {
		ADDRESS,
		ADDRESSES,
		PHASE,
		COUNT
	};
	struct yaml_field fields[COUNT] = {
		[ADDRESS] = {.name = "podIP"},
		[ADDRESSES] = {.name = "podIPs"},
		[PHASE] = {.name = "phase"},
	};
	const char *phase;

	if (!yaml_read_mapping(reader, node, "status", fields, COUNT, YAML_IGNORE_UNKNOWN))
		return;
	/* A pod that has ended keeps its addresses in its status; someone else may have them. */
	if (fields[PHASE].node && yaml_read_string(reader, fields[PHASE].node, "phase", &phase) &&
		(!strcmp(phase, "Succeeded") || !strcmp(phase, "Failed")))
		return;
	if (fields[ADDRESSES].node)
		read_addresses(reader, fields[ADDRESSES].node, pod);
	else if (fields[ADDRESS].node)
		read_address(reader, fields[ADDRESS].node, pod);
}

void pod_read(struct yaml_reader *reader, yaml_node_t *spec, yaml_node_t *status,
	struct document *document)
{
	if (spec)
		read_spec(reader, spec, document->pod);
	if (status)
		read_status(reader, status, document->pod);
}

int pod_to_model(const struct document *document, struct model *model, struct error *error)
{
	const struct model_workload *pod = document->pod;
	struct model_workload *workload;
	int r = model_add_workload(model, document->namespace, document->name, &workload);

	if (r == -EEXIST)
		return error_set(
			error, r, "Pod %s/%s is there twice", document->namespace, document->name);
	if (r < 0 || labels_copy(&pod->labels, &workload->labels) < 0)
		return error_nomem(error);
	workload->host_network = pod->host_network;
	for (size_t i = 0; i < pod->addresses_count; i++)
		if (model_workload_add_address(workload, &pod->addresses[i]) < 0)
			return error_nomem(error);
	for (size_t i = 0; i < pod->ports_count; i++)
		if (model_workload_add_port(workload, pod->ports[i].name, pod->ports[i].protocol,
			    pod->ports[i].port) < 0)
			return error_nomem(error);
	return 0;
}

void pod_free(struct model_workload *pod)
{
	if (!pod)
		return;
	for (size_t i = 0; i < pod->ports_count; i++)
		free(pod->ports[i].name);
	free(pod->ports);
	free(pod->addresses);
	labels_clear(&pod->labels);
	free(pod);
}
