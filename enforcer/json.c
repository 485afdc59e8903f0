/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "json.h"

#include "flow/timestamp.h"

#include <netinet/in.h>
#include <stdio.h>

json_t *json_from_labels(const struct labels *labels)
{
	json_t *object = json_object();

	for (size_t i = 0; object && i < labels->count; i++)
		json_object_set_new(
			object, labels->items[i].key, json_string(labels->items[i].value));
	return object;
}

json_t *json_from_time(uint64_t realtime_ns)
{
	return timestamp_to_json(realtime_ns);
}

const char *json_protocol_name(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_SCTP:
		return "sctp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmpv6";
	default:
		return NULL;
	}
}

static json_t *interface_to_json(const struct workload_interface *interface)
{
	const uint8_t *mac = interface->mac;
	json_t *addresses = json_array(), *json;
	char text[32];

	for (size_t i = 0; i < interface->addresses_count; i++) {
		char address[ADDRESS_TEXT_MAX];

		json_array_append_new(
			addresses, json_string(address_format(&interface->addresses[i], address)));
	}
	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		mac[3], mac[4], mac[5]);
	json = json_pack("{s:s, s:I, s:s, s:s?, s:o}", "name", interface->name, "ifindex",
		(json_int_t)interface->ifindex, "mac", text, "network", interface->network,
		"addresses", addresses);
	if (interface->netns) {
		json_object_set_new(json, "inside", json_integer(interface->inside));
		json_object_set_new(json, "netns", json_string(interface->netns));
	}
	return json;
}

static json_t *ports_to_json(const struct workload *workload)
{
	json_t *ports = json_array();

	for (size_t i = 0; i < workload->ports_count; i++) {
		const struct model_port *port = &workload->ports[i];

		json_array_append_new(ports,
			json_pack("{s:s, s:s, s:i}", "name", port->name, "protocol",
				json_protocol_name(port->protocol), "port", (int)port->port));
	}
	return ports;
}

json_t *json_from_workload(const struct workload *workload)
{
	json_t *interfaces = json_array();

	for (size_t i = 0; i < workload->interfaces_count; i++)
		json_array_append_new(interfaces, interface_to_json(&workload->interfaces[i]));
	return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:o, s:o, s:o, s:o, s:b}", "source",
		workload->source, "id", workload->id, "namespace", workload->namespace, "name",
		workload->name, "image", workload->image, "labels",
		json_from_labels(&workload->labels), "started",
		json_from_time(workload->started_ns), "ports", ports_to_json(workload),
		"interfaces", interfaces, "host_network", workload->host_network);
}

json_t *json_from_document(const struct document *document)
{
	return json_pack("{s:s, s:s, s:s, s:{s:s, s:i}}", "kind",
		document_kind_name(document->kind), "namespace", document->namespace, "name",
		document->name, "source", "file", document->file, "line", (int)document->line);
}
