/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guards.h"

#include "base/cleanup.h"
#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct guarded_bridge {
	char name[16];
	UT_hash_handle hh;
};

struct guarded_interface {
	uint32_t ifindex;
	char name[16];
	UT_hash_handle hh;
};

struct guards {
	struct guarded_bridge *bridges;
	struct guarded_interface *interfaces;
};

int guards_new(struct guards **ret)
{
	struct guards *guards = calloc(1, sizeof(*guards));

	if (!guards)
		return -ENOMEM;
	*ret = guards;
	return 0;
}

static void free_interface(struct guards *guards, struct guarded_interface *interface)
{
	HASH_DEL(guards->interfaces, interface);
	free(interface);
}

static void free_bridge(struct guards *guards, struct guarded_bridge *bridge)
{
	HASH_DEL(guards->bridges, bridge);
	free(bridge);
}

void guards_free(struct guards *guards)
{
	struct guarded_interface *interface, *next_interface;
	struct guarded_bridge *bridge, *next_bridge;

	if (!guards)
		return;
	HASH_ITER (hh, guards->interfaces, interface, next_interface) {
		free_interface(guards, interface);
	}
	HASH_ITER (hh, guards->bridges, bridge, next_bridge) {
		free_bridge(guards, bridge);
	}
	free(guards);
}

static struct guarded_bridge *find_bridge(const struct guards *guards, const char *name)
{
	struct guarded_bridge *bridge;

	HASH_FIND_STR(guards->bridges, name, bridge);
	return bridge;
}

static struct guarded_interface *find_interface(const struct guards *guards, uint32_t ifindex)
{
	struct guarded_interface *interface;

	HASH_FIND(hh, guards->interfaces, &ifindex, sizeof(ifindex), interface);
	return interface;
}

int guards_set_bridge(struct guards *guards, const char *name, bool present)
{
	struct guarded_bridge *bridge = find_bridge(guards, name);

	if (!present && bridge)
		free_bridge(guards, bridge);
	if (!present || bridge)
		return 0;
	bridge = calloc(1, sizeof(*bridge));
	if (!bridge)
		return -ENOMEM;
	strncpy(bridge->name, name, sizeof(bridge->name) - 1);
	HASH_ADD_STR(guards->bridges, name, bridge);
	if (HASH_ADDED(bridge))
		return 0;
	free(bridge);
	return -ENOMEM;
}

bool guards_cover(const struct guards *guards, const char *bridge)
{
	return find_bridge(guards, bridge) != NULL;
}

int guards_add(struct guards *guards, uint32_t ifindex, const char *name)
{
	struct guarded_interface *interface = find_interface(guards, ifindex);

	if (interface)
		return 0;
	interface = calloc(1, sizeof(*interface));
	if (!interface)
		return -ENOMEM;
	interface->ifindex = ifindex;
	strncpy(interface->name, name, sizeof(interface->name) - 1);
	HASH_ADD(hh, guards->interfaces, ifindex, sizeof(interface->ifindex), interface);
	if (HASH_ADDED(interface))
		return 0;
	free(interface);
	return -ENOMEM;
}

void guards_remove(struct guards *guards, uint32_t ifindex)
{
	struct guarded_interface *interface = find_interface(guards, ifindex);

	if (interface)
		free_interface(guards, interface);
}

static int compare_attachments(const void *a, const void *b)
{
	const struct attachment *left = a, *right = b;

	return (left->ifindex > right->ifindex) - (left->ifindex < right->ifindex);
}

int guards_add_attachments(struct guards *guards, struct attachment **attachments, size_t *count)
{
	struct guarded_interface *interface, *next;
	struct attachment *grown;
	size_t total = *count;

	for (size_t i = 0; i < *count; i++)
		guards_remove(guards, (*attachments)[i].ifindex);
	if (!HASH_COUNT(guards->interfaces))
		return 0;
	grown = realloc(*attachments, (total + HASH_COUNT(guards->interfaces)) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	HASH_ITER (hh, guards->interfaces, interface, next) {
		struct attachment *added = &grown[total++];

		*added = (struct attachment){.ifindex = interface->ifindex, .workload = -1};
		memcpy(added->name, interface->name, sizeof(added->name));
	}
	qsort(grown, total, sizeof(*grown), compare_attachments);
	*attachments = grown;
	*count = total;
	return 0;
}
