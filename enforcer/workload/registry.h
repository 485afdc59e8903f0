/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who runs on this node, as the sources report it: the one place where container ids, interfaces,
 * addresses and labels meet. Sources put and remove; the agent is told once for a burst of changes
 * and takes a model and the attachments from it.
 *
 * Address conflict (a new container with an address that a stopped one still claims): the newest
 * claim wins, the older one loses that address. Observed addresses win against nobody.
 */
#pragma once

#include "base/address.h"
#include "base/error.h"
#include "dataplane/attachment.h"
#include "policies/labels.h"
#include "policies/model.h"
#include "workload/netns.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct workload_interface {
	uint32_t ifindex; /* host side; 0: not found (no veth, or already gone); of macvlan and
			     ipvlan the number of one inside (base/network_namespace.h) */
	uint32_t inside;  /* then: its index in the workload's namespace; else 0 */
	char *netns;      /* then: path of that namespace; else NULL */
	char name[16];
	uint8_t mac[6];
	char *network; /* "shop_default"; NULL where the source has no such word */
	struct address *addresses;
	size_t addresses_count;
};

struct workload {
	char *source; /* "docker", "netns" */
	char *id;     /* container id, namespace name: unique within the source */
	char *namespace;
	char *name;
	char *image; /* NULL: unknown */
	struct labels labels;
	struct model_port *ports; /* named ports */
	size_t ports_count;
	struct workload_interface *interfaces;
	size_t interfaces_count;
	uint64_t started_ns; /* CLOCK_REALTIME; 0: unknown */
	bool host_network;
	bool adopt;    /* ran before the agent saw it start: connections may be under way */
	bool observed; /* addresses were read inside the workload, which may set them at will: they
			  never displace another's */
};

int workload_new(const char *source, const char *id, const char *namespace, const char *name,
	struct workload **ret);
int workload_add_interface(struct workload *workload, struct workload_interface **ret);
int workload_interface_add_address(
	struct workload_interface *interface, const struct address *address);
int workload_add_port(struct workload *workload, const char *name, uint8_t protocol, uint16_t port);
/* In every field. */
bool workload_equal(const struct workload *a, const struct workload *b);
/* Names the end of the interface that can be enforced, as netns_list_interfaces() found it in the
 * namespace at path. 0 or -ENOMEM. */
int workload_interface_locate(struct workload_interface *interface,
	const struct netns_interface *inside, const char *path);
/* Releases what the interface holds, and zeroes it. */
void workload_interface_clear(struct workload_interface *interface);
void workload_free(struct workload *workload);

static inline void workload_freep(struct workload **workload)
{
	workload_free(*workload);
}

struct registry;

/* changed is called from the event loop, once for all changes since its last return. */
int registry_new(
	sd_event *event, void (*changed)(void *userdata), void *userdata, struct registry **ret);
void registry_free(struct registry *registry);

/* Takes workload in any case. Replaces the one of the same source and id. Nothing is signalled when
 * it is the same as before. Two workloads of one name in a namespace: the second gets its short id
 * behind the name ("web-3f2a91"), and keeps that for as long as its source calls it the same. A put
 * of the same run (started_ns) keeps what adopt was. */
int registry_put(struct registry *registry, struct workload *workload);
/* 0, also when there is none. */
int registry_remove(struct registry *registry, const char *source, const char *id);
/* Everything a source reported that is not in ids is removed: used after a full listing. */
int registry_retain(
	struct registry *registry, const char *source, const char *const *ids, size_t ids_count);
/* An interface is gone from the kernel: no workload owns it any more. */
int registry_drop_interface(struct registry *registry, uint32_t ifindex);

/* Another number after each change, so that what was made from all workloads need not be made anew.
 */
uint64_t registry_changes(const struct registry *registry);
size_t registry_count(const struct registry *registry);
/* By namespace, name. Valid until the next change. */
const struct workload *registry_at(const struct registry *registry, size_t index);
const struct workload *registry_find_address(
	const struct registry *registry, const struct address *address);
/* "namespace/name", or a name alone that is unique, or an id, of a hexadecimal one also 6 or more
 * characters. NULL: none; *ambiguous says whether there were several. */
const struct workload *registry_find(
	const struct registry *registry, const char *reference, bool *ambiguous);

/* Adds all workloads to the model (registry_at(i) becomes the model's workload of the same
 * namespace and name); the caller adds namespaces and host addresses, and finishes it. */
int registry_to_model(const struct registry *registry, struct model *model, struct error *error);
/* The same as a copy of a finished model that nothing but the registry has given workloads to, and
 * that says of all else what the new one is to say. 1, and the caller finishes *ret; 0: too much
 * has changed for that; negative, with error. */
int registry_follow_model(const struct registry *registry, const struct model *former,
	struct model **ret, struct error *error);
/* The attachments of all workloads with an ifindex, by ifindex; workload indexes are the finished
 * model's. The caller frees them. */
int registry_attachments(const struct registry *registry, const struct model *model,
	struct attachment **ret, size_t *ret_count);
