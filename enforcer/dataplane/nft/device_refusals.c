/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/device_refusals.h"

#include "base/clock.h"
#include "base/hash.h"
#include "dataplane/nft/counts.h"
#include "dataplane/nft/refusal.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

/* Before so many are known, none is looked for that is gone. */
#define DEVICES_MIN 256

struct count {
	uint64_t packets;
	uint64_t bytes;
};

struct device {
	uint32_t ifindex;
	struct address addresses[2]; /* IPv6, IPv4; none: zero */
	uint8_t mac[6];
	struct count counted[DEVICE_REFUSALS_MAX]; /* taken out of the kernel */
	struct count reported[DEVICE_REFUSALS_MAX];
	uint64_t start_ns[DEVICE_REFUSALS_MAX];
	UT_hash_handle hh;
};

struct device_refusals {
	const char *table;
	const enum reason *reasons;
	size_t reasons_count;
	struct device *devices;
	size_t devices_many; /* once they are more, those that are gone are forgotten */
	struct count gone[DEVICE_REFUSALS_MAX];
};

int device_refusals_new(
	const char *table, const enum reason *reasons, size_t count, struct device_refusals **ret)
{
	struct device_refusals *refusals = calloc(1, sizeof(*refusals));

	if (!refusals)
		return -ENOMEM;
	refusals->table = table;
	refusals->reasons = reasons;
	refusals->reasons_count = count;
	refusals->devices_many = DEVICES_MIN;
	*ret = refusals;
	return 0;
}

void device_refusals_free(struct device_refusals *refusals)
{
	struct device *device, *next;

	if (!refusals)
		return;
	HASH_ITER (hh, refusals->devices, device, next) {
		HASH_DEL(refusals->devices, device);
		free(device);
	}
	free(refusals);
}

static struct device *get(struct device_refusals *refusals, uint32_t ifindex)
{
	struct device *device;

	HASH_FIND(hh, refusals->devices, &ifindex, sizeof(ifindex), device);
	if (device)
		return device;
	device = calloc(1, sizeof(*device));
	if (!device)
		return NULL;
	device->ifindex = ifindex;
	device->addresses[true] = address_from_ipv4((const uint8_t[4]){0});
	HASH_ADD(hh, refusals->devices, ifindex, sizeof(device->ifindex), device);
	if (HASH_ADDED(device))
		return device;
	free(device);
	return NULL;
}

int device_refusals_name(struct device_refusals *refusals, const struct attachment *attachment)
{
	struct device *device = get(refusals, attachment->ifindex);

	if (!device)
		return -ENOMEM;
	memcpy(device->mac, attachment->mac, sizeof(device->mac));
	/* Backwards: the first of each family stays. */
	for (size_t i = attachment->addresses_count; i-- > 0;) {
		const struct address *address = &attachment->addresses[i];

		device->addresses[address_is_ipv4(address)] = *address;
	}
	return 0;
}

struct reading {
	struct device_refusals *refusals;
	size_t reason;
};

static int take_element(
	const uint8_t *key, size_t length, uint64_t packets, uint64_t bytes, void *userdata)
{
	const struct reading *reading = userdata;
	struct device *device;
	uint32_t ifindex;

	if (length != sizeof(ifindex))
		return 0;
	memcpy(&ifindex, key, sizeof(ifindex));
	device = get(reading->refusals, ifindex);
	if (!device)
		return -ENOMEM;
	device->counted[reading->reason].packets += packets;
	device->counted[reading->reason].bytes += bytes;
	return 0;
}

static int read_set(struct device_refusals *refusals, struct mnl_socket *socket, size_t reason)
{
	const struct counts_set set = {
		NFPROTO_NETDEV, refusals->table, refusal_reason_name(refusals->reasons[reason])};
	struct reading reading = {refusals, reason};
	int r = counts_take(socket, &set, take_element, &reading);

	return r == -ENOENT ? 0 : r; /* nothing was applied yet */
}

/* The family that the refused packet had, as far as the reason tells. */
static uint16_t ethertype_of(enum reason reason, const struct device *device)
{
	switch (reason) {
	case REASON_SPOOFED_ARP:
		return ETHERTYPE_ARP;
	case REASON_SPOOFED_NEIGHBOUR:
	case REASON_ROUTER_ADVERTISEMENT:
		return ETHERTYPE_IPV6;
	default:
		return address_is_ipv4(&device->addresses[true]) ? ETHERTYPE_IP : ETHERTYPE_IPV6;
	}
}

static void report(struct device *device, size_t i, enum reason reason,
	const struct dataplane_callbacks *callbacks)
{
	const struct count *counted = &device->counted[i];
	struct count *reported = &device->reported[i];
	uint64_t now_ns = clock_ns(CLOCK_REALTIME);
	bool leaves = reason != REASON_POLICY_DENIED;
	struct flow_event event = {
		.type = FLOW_DENIED,
		.verdict = FLOW_REFUSED,
		.reason = reason,
		.direction = leaves ? DIRECTION_EGRESS : DIRECTION_INGRESS,
		.id = (uint64_t)device->ifindex << 32 | UINT64_C(1) << 31 | (uint64_t)reason,
		.time_ns = now_ns,
		.end_ns = now_ns,
		.ethertype = ethertype_of(reason, device),
		.ifindex = device->ifindex,
	};
	bool ipv4 = event.ethertype != ETHERTYPE_IPV6;

	if (counted->packets == reported->packets)
		return;
	if (!device->start_ns[i])
		device->start_ns[i] = now_ns;
	event.start_ns = device->start_ns[i];
	if (ipv4)
		event.source = event.destination = address_from_ipv4((const uint8_t[4]){0});
	*(leaves ? &event.source : &event.destination) = device->addresses[ipv4];
	memcpy(leaves ? event.source_mac : event.destination_mac, device->mac, sizeof(device->mac));
	event.packets[0] = counted->packets - reported->packets;
	event.bytes[0] = counted->bytes - reported->bytes;
	*reported = *counted;
	callbacks->flow(&event, callbacks->userdata);
}

/* Interfaces get numbers that none had before, for ever. What was refused on one still counts. */
static void forget_gone(struct device_refusals *refusals)
{
	struct device *device, *next;
	char name[IF_NAMESIZE];

	if (HASH_COUNT(refusals->devices) <= refusals->devices_many)
		return;
	HASH_ITER (hh, refusals->devices, device, next) {
		if (if_indextoname(device->ifindex, name))
			continue;
		for (size_t i = 0; i < refusals->reasons_count; i++) {
			refusals->gone[i].packets += device->counted[i].packets;
			refusals->gone[i].bytes += device->counted[i].bytes;
		}
		HASH_DEL(refusals->devices, device);
		free(device);
	}
	refusals->devices_many = 2 * (size_t)HASH_COUNT(refusals->devices) + DEVICES_MIN;
}

size_t device_refusals_count(const struct device_refusals *refusals)
{
	return HASH_COUNT(refusals->devices);
}

int device_refusals_read(struct device_refusals *refusals, struct mnl_socket *socket,
	const struct dataplane_callbacks *callbacks)
{
	struct device *device;

	for (size_t i = 0; i < refusals->reasons_count; i++) {
		int r = read_set(refusals, socket, i);

		if (r < 0)
			return r;
		for (device = refusals->devices; callbacks && device; device = device->hh.next)
			report(device, i, refusals->reasons[i], callbacks);
	}
	/* All that was counted has been told. */
	if (callbacks)
		forget_gone(refusals);
	return 0;
}

void device_refusals_sum(const struct device_refusals *refusals, size_t i, uint64_t *ret_packets,
	uint64_t *ret_bytes)
{
	const struct device *device;

	*ret_packets = refusals->gone[i].packets;
	*ret_bytes = refusals->gone[i].bytes;
	for (device = refusals->devices; device; device = device->hh.next) {
		*ret_packets += device->counted[i].packets;
		*ret_bytes += device->counted[i].bytes;
	}
}
