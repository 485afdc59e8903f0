// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/role.h"

#include "base/cleanup.h"
#include "base/utf8.h"
#include "flow/protocol.h"
#include "flow/put.h"

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

/* No more than max bytes of it. Returns the end. */
static char *add(char *text, const char *more, size_t max)
{
	size_t length = utf8_length(more, max);

	memcpy(text, more, length);
	text[length] = '\0';
	return text + length;
}

static void write_role(const struct name *name, char text[static ROLE_MAX])
{
	static const char *const applications[] = {
		"app.kubernetes.io/name", "k8s-app", "app", "com.docker.compose.service", "name"};
	static const char *const components[] = {
		"app.kubernetes.io/component", "component", "tier", "role"};
	const char *workload = name_workload(name);
	const char *namespace = name_namespace(name);
	const char *entity = name_entity(name);
	const char *application, *component;
	char *end = text;

	if (!workload) {
		add(text, entity ? entity : "world", 64);
		return;
	}
	application = first_label(name, applications, ARRAY_SIZE(applications));
	component = application ? first_label(name, components, ARRAY_SIZE(components)) : NULL;
	end = add(end, namespace ? namespace : "", 253);
	end = add(end, "/", 1);
	end = add(end, application ? application : workload, 253);
	if (!component)
		return;
	end = add(end, ":", 1);
	add(end, component, 63);
}

/* A name never changes, and many records share it: so it keeps its role. */
const char *role_of(const struct name *name, char text[static ROLE_MAX])
{
	if (name && name->role)
		return name->role;
	write_role(name, text);
	if (name)
		((struct name *)name)->role = strdup(text);
	return text;
}

/* "203.0.0.0/16", without printf's way for what is asked of each record. */
static const char *network_of(const struct address *address, char text[static ROLE_MAX])
{
	struct prefix network = {*address, 32};
	char *end;

	if (address_is_ipv4(address)) {
		end = put_uint(text, address->bytes[12]);
		*end++ = '.';
		strcpy(put_uint(end, address->bytes[13]), ".0.0/16");
		return text;
	}
	memset(&network.address.bytes[4], 0, sizeof(network.address.bytes) - 4);
	return prefix_format(&network, text);
}

const char *role_of_peer(
	const struct name *name, const struct address *address, char text[static ROLE_MAX])
{
	const char *entity = name_entity(name);

	if (name_workload(name) || (entity && strcmp(entity, "world") != 0))
		return role_of(name, text);
	return network_of(address, text);
}

const char *role_service(const struct flow_event *event, char text[static SERVICE_MAX])
{
	char protocol[PROTOCOL_TEXT_MAX];
	const char *name = protocol_format(event->ethertype, event->protocol, protocol);
	char *end = add(text, name, PROTOCOL_TEXT_MAX);

	if (!protocol_is_ip(event->ethertype) || !protocol_has_ports(event->protocol))
		return text;
	*end++ = '/';
	if (event->destination_port >= HIGH_PORT)
		end = put_literal(end, "high");
	else
		end = put_uint(end, event->destination_port);
	*end = '\0';
	return text;
}
