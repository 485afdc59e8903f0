// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/role.h"

#include "base/cleanup.h"
#include "flow/protocol.h"

#include <stdio.h>
#include <string.h>

#define HIGH_PORT 32768

static const char *first_label(const struct name *name, const char *const *keys, size_t keys_count)
{
	const json_t *labels = json_object_get(name->json, "labels");

	for (size_t i = 0; i < keys_count; i++) {
		const char *value = json_string_value(json_object_get(labels, keys[i]));

		if (value && *value)
			return value;
	}
	return NULL;
}

static void write_role(const struct name *name, char text[static ROLE_MAX])
{
	static const char *const applications[] = {
		"app.kubernetes.io/name", "k8s-app", "app", "com.docker.compose.service", "name"};
	static const char *const components[] = {
		"app.kubernetes.io/component", "component", "tier", "role"};
	const char *workload = name_member(name, "workload");
	const char *namespace = name_member(name, "namespace");
	const char *entity = name_member(name, "entity");
	const char *application, *component;

	if (!workload) {
		snprintf(text, ROLE_MAX, "%.64s", entity ? entity : "world");
		return;
	}
	application = first_label(name, applications, ARRAY_SIZE(applications));
	component = application ? first_label(name, components, ARRAY_SIZE(components)) : NULL;
	snprintf(text, ROLE_MAX, "%.253s/%.253s%s%.63s", namespace ? namespace : "",
		application ? application : workload, component ? ":" : "",
		component ? component : "");
}

/* A name never changes, and many records share it: so it keeps its role. */
const char *role_of(const struct name *name, char text[static ROLE_MAX])
{
	if (name && name->role)
		return strcpy(text, name->role);
	write_role(name, text);
	if (name)
		((struct name *)name)->role = strdup(text);
	return text;
}

const char *role_of_peer(
	const struct name *name, const struct address *address, char text[static ROLE_MAX])
{
	const char *entity = name_member(name, "entity");
	struct prefix network = {*address, address_is_ipv4(address) ? 96 + 16 : 32};

	if (name_member(name, "workload") || (entity && strcmp(entity, "world") != 0))
		return role_of(name, text);
	memset(&network.address.bytes[network.length / 8], 0,
		sizeof(network.address.bytes) - network.length / 8);
	prefix_format(&network, text);
	return text;
}

const char *role_service(const struct flow_event *event, char text[static SERVICE_MAX])
{
	char protocol[PROTOCOL_TEXT_MAX];
	const char *name = protocol_format(event->ethertype, event->protocol, protocol);

	if (!protocol_is_ip(event->ethertype) || !protocol_has_ports(event->protocol))
		snprintf(text, SERVICE_MAX, "%.12s", name);
	else if (event->destination_port >= HIGH_PORT)
		snprintf(text, SERVICE_MAX, "%.12s/high", name);
	else
		snprintf(
			text, SERVICE_MAX, "%.12s/%u", name, (unsigned int)event->destination_port);
	return text;
}
