/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workload/registry.h"

#include "base/cleanup.h"
#include "base/network_namespace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int workload_new(const char *source, const char *id, const char *namespace, const char *name,
	struct workload **ret)
{
	_cleanup_(workload_freep) struct workload *workload = calloc(1, sizeof(*workload));

	if (!workload)
		return -ENOMEM;
	workload->source = strdup(source);
	workload->id = strdup(id);
	workload->namespace = strdup(namespace);
	workload->name = strdup(name);
	if (!workload->source || !workload->id || !workload->namespace || !workload->name)
		return -ENOMEM;
	*ret = TAKE_PTR(workload);
	return 0;
}

int workload_add_interface(struct workload *workload, struct workload_interface **ret)
{
	struct workload_interface *grown;

	grown = reallocarray(workload->interfaces, workload->interfaces_count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	workload->interfaces = grown;
	grown += workload->interfaces_count++;
	memset(grown, 0, sizeof(*grown));
	*ret = grown;
	return 0;
}

int workload_interface_add_address(
	struct workload_interface *interface, const struct address *address)
{
	struct address *grown;

	grown = reallocarray(interface->addresses, interface->addresses_count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	interface->addresses = grown;
	grown[interface->addresses_count++] = *address;
	return 0;
}

int workload_add_port(struct workload *workload, const char *name, uint8_t protocol, uint16_t port)
{
	_cleanup_free_ char *copy = strdup(name);
	struct model_port *grown;

	if (!copy)
		return -ENOMEM;
	grown = reallocarray(workload->ports, workload->ports_count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	workload->ports = grown;
	grown[workload->ports_count++] =
		(struct model_port){.name = TAKE_PTR(copy), .port = port, .protocol = protocol};
	return 0;
}

static bool strings_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool interfaces_equal(const struct workload_interface *a, const struct workload_interface *b)
{
	if (a->ifindex != b->ifindex || a->inside != b->inside ||
		!strings_equal(a->netns, b->netns) || strcmp(a->name, b->name) != 0 ||
		memcmp(a->mac, b->mac, sizeof(a->mac)) != 0 ||
		!strings_equal(a->network, b->network) || a->addresses_count != b->addresses_count)
		return false;
	for (size_t i = 0; i < a->addresses_count; i++)
		if (!address_equal(&a->addresses[i], &b->addresses[i]))
			return false;
	return true;
}

static bool ports_equal(const struct model_port *a, const struct model_port *b)
{
	return a->port == b->port && a->protocol == b->protocol && strcmp(a->name, b->name) == 0;
}

bool workload_equal(const struct workload *a, const struct workload *b)
{
	if (strcmp(a->source, b->source) != 0 || strcmp(a->id, b->id) != 0 ||
		strcmp(a->namespace, b->namespace) != 0 || strcmp(a->name, b->name) != 0 ||
		!strings_equal(a->image, b->image) || a->started_ns != b->started_ns ||
		a->host_network != b->host_network || a->adopt != b->adopt ||
		a->observed != b->observed)
		return false;
	if (!labels_equal(&a->labels, &b->labels) || a->ports_count != b->ports_count ||
		a->interfaces_count != b->interfaces_count)
		return false;
	for (size_t i = 0; i < a->ports_count; i++)
		if (!ports_equal(&a->ports[i], &b->ports[i]))
			return false;
	for (size_t i = 0; i < a->interfaces_count; i++)
		if (!interfaces_equal(&a->interfaces[i], &b->interfaces[i]))
			return false;
	return true;
}

int workload_interface_locate(struct workload_interface *interface,
	const struct netns_interface *inside, const char *path)
{
	bool is_inside = network_namespace_is_interface(inside->peer);
	char *netns = NULL;

	if (is_inside) {
		netns = strdup(path);
		if (!netns)
			return -ENOMEM;
	}
	free(interface->netns);
	interface->netns = netns;
	interface->inside = is_inside ? inside->ifindex : 0;
	interface->ifindex = inside->peer;
	memcpy(interface->name, inside->peer_name, sizeof(interface->name));
	return 0;
}

void workload_interface_clear(struct workload_interface *interface)
{
	free(interface->network);
	free(interface->netns);
	free(interface->addresses);
	memset(interface, 0, sizeof(*interface));
}

void workload_free(struct workload *workload)
{
	if (!workload)
		return;
	for (size_t i = 0; i < workload->ports_count; i++)
		free(workload->ports[i].name);
	for (size_t i = 0; i < workload->interfaces_count; i++)
		workload_interface_clear(&workload->interfaces[i]);
	labels_clear(&workload->labels);
	free(workload->ports);
	free(workload->interfaces);
	free(workload->source);
	free(workload->id);
	free(workload->namespace);
	free(workload->name);
	free(workload->image);
	free(workload);
}
