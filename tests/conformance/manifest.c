/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "manifest.h"

#include "json.h"
#include "must.h"

#include <errno.h>
#include <string.h>

/* document is taken. */
static void write_document(FILE *stream, json_t *document)
{
	_cleanup_json_ json_t *owned = must(document);

	fputs("---\n", stream);
	json_dumpf(owned, stream, JSON_COMPACT | JSON_ENSURE_ASCII);
	fputc('\n', stream);
}

static json_t *container_document(const json_t *container, size_t number, struct error *error)
{
	const char *name = NULL, *port_name = NULL, *protocol;
	json_error_t problem;
	char fallback[32];
	json_t *port;
	int served;

	if (json_unpack_ex((json_t *)container, &problem, 0, "{s?s, s:i, s:s, s?s}", "name", &name,
		    "port", &served, "protocol", &protocol, "portName", &port_name) < 0) {
		error_set(error, -EINVAL, "a container: %s", problem.text);
		return NULL;
	}
	snprintf(fallback, sizeof(fallback), "container-%zu", number);
	port = must(json_pack("{s:i, s:s, s:s*}", "containerPort", served, "protocol", protocol,
		"name", port_name));
	return must(json_pack("{s:s, s:[o]}", "name", name ? name : fallback, "ports", port));
}

/* "ip" is one address or, where a pod has both families, a list. */
static json_t *addresses_document(json_t *addresses)
{
	json_t *list = must(json_array());
	json_t *address;
	size_t i;

	if (!json_is_array(addresses))
		json_array_append_new(list, must(json_pack("{s:O}", "ip", addresses)));
	json_array_foreach (addresses, i, address)
		json_array_append_new(list, must(json_pack("{s:O}", "ip", address)));
	return list;
}

static int write_pod(FILE *stream, const json_t *pod, struct error *error)
{
	json_t *labels, *addresses, *containers, *container;
	_cleanup_json_ json_t *served = must(json_array());
	const char *namespace, *name, *node = NULL;
	json_error_t problem;
	int host_network = 0;
	size_t i;

	if (json_unpack_ex((json_t *)pod, &problem, 0, "{s:s, s:s, s:o, s:o, s:o, s?s, s?b}",
		    "namespace", &namespace, "name", &name, "labels", &labels, "ip", &addresses,
		    "containers", &containers, "node", &node, "hostNetwork", &host_network) < 0)
		return error_set(error, -EINVAL, "a pod: %s", problem.text);
	json_array_foreach (containers, i, container) {
		json_t *document = container_document(container, i, error);

		if (!document)
			return error_context(error, -EINVAL, "pod %s/%s", namespace, name);
		json_array_append_new(served, document);
	}
	write_document(
		stream, json_pack("{s:s, s:s, s:{s:s, s:s, s:O}, s:{s:O, s:b, s:s*}, s:{s:o}}",
				"apiVersion", "v1", "kind", "Pod", "metadata", "name", name,
				"namespace", namespace, "labels", labels, "spec", "containers",
				served, "hostNetwork", host_network, "nodeName", node, "status",
				"podIPs", addresses_document(addresses)));
	return 0;
}

static void write_namespace(FILE *stream, const char *name, json_t *labels)
{
	write_document(stream, json_pack("{s:s, s:s, s:{s:s, s:O}}", "apiVersion", "v1", "kind",
				       "Namespace", "metadata", "name", name, "labels", labels));
}

static int write_node(FILE *stream, const char *name, json_t *node, struct error *error)
{
	json_t *labels, *address;
	json_error_t problem;

	if (json_unpack_ex(node, &problem, 0, "{s:o, s:o}", "labels", &labels, "ip", &address) < 0)
		return error_set(error, -EINVAL, "node %s: %s", name, problem.text);
	write_document(
		stream, json_pack("{s:s, s:s, s:{s:s, s:O}, s:{s:[{s:s, s:O}]}}", "apiVersion",
				"v1", "kind", "Node", "metadata", "name", name, "labels", labels,
				"status", "addresses", "type", "InternalIP", "address", address));
	return 0;
}

static bool is_text(const json_t *json, const char *text)
{
	return json_is_string(json) && strcmp(json_string_value(json), text) == 0;
}

/* Kubernetes implies Ingress, and Egress where there are egress rules. */
static bool has_default_types(const json_t *spec)
{
	const json_t *types = json_object_get(spec, "policyTypes"), *type;
	bool egress = json_array_size(json_object_get(spec, "egress")) > 0;
	size_t i, ingress_count = 0, egress_count = 0;

	json_array_foreach (types, i, type) {
		ingress_count += is_text(type, "Ingress");
		egress_count += is_text(type, "Egress");
	}
	return ingress_count == 1 && egress_count == egress;
}

static void write_policy(FILE *stream, json_t *policy, bool imply_types)
{
	json_t *spec = json_object_get(policy, "spec");
	json_t *copy = must(json_copy(policy));

	if (imply_types && is_text(json_object_get(policy, "kind"), "NetworkPolicy") &&
		has_default_types(spec)) {
		json_t *short_spec = must(json_copy(spec));

		json_object_del(short_spec, "policyTypes");
		json_object_set_new(copy, "spec", short_spec);
	}
	write_document(stream, copy);
}

int manifest_write(
	const struct cluster *cluster, bool imply_types, FILE *stream, struct error *error)
{
	const char *name;
	json_t *item;
	size_t i;
	int r = 0;

	json_object_foreach (cluster->namespaces, name, item)
		write_namespace(stream, name, item);
	json_object_foreach (cluster->nodes, name, item) {
		r = write_node(stream, name, item, error);
		if (r < 0)
			return r;
	}
	json_array_foreach (cluster->pods, i, item) {
		r = write_pod(stream, item, error);
		if (r < 0)
			return r;
	}
	json_array_foreach (cluster->policies, i, item)
		write_policy(stream, item, imply_types);
	return fflush(stream) < 0 ? error_errno(error, -errno, "write documents") : 0;
}
