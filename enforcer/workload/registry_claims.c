/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who an address and an interface index belong to: the newest claim wins. */
#include "workload/registry_private.h"

#include <errno.h>
#include <stdlib.h>

static void interface_remove_address(
	struct workload_interface *interface, const struct address *address)
{
	size_t kept = 0;

	for (size_t i = 0; i < interface->addresses_count; i++)
		if (!address_equal(&interface->addresses[i], address))
			interface->addresses[kept++] = interface->addresses[i];
	interface->addresses_count = kept;
}

static void workload_remove_address(struct workload *workload, const struct address *address)
{
	for (size_t i = 0; i < workload->interfaces_count; i++)
		interface_remove_address(&workload->interfaces[i], address);
}

static struct registry_owner *find_owner(
	const struct registry *registry, const struct address *address)
{
	struct registry_owner *owner;

	HASH_FIND(hh, registry->owners, address, sizeof(*address), owner);
	return owner;
}

static bool entry_claims(const struct registry_entry *entry, const struct address *address)
{
	for (size_t i = 0; i < entry->owners_count; i++)
		if (!entry->owners[i].forgotten &&
			address_equal(&entry->owners[i].address, address))
			return true;
	return false;
}

/* Notes the addresses that the workload is put with; one on two interfaces counts for the first. */
static int collect_claims(struct registry_entry *entry)
{
	struct workload *workload = entry->workload;
	size_t count = 0;

	for (size_t i = 0; i < workload->interfaces_count; i++)
		count += workload->interfaces[i].addresses_count;
	entry->owners = calloc(count ? count : 1, sizeof(*entry->owners));
	if (!entry->owners)
		return -ENOMEM;
	for (size_t i = 0; i < workload->interfaces_count; i++) {
		struct workload_interface *interface = &workload->interfaces[i];
		size_t kept = 0;

		for (size_t j = 0; j < interface->addresses_count; j++) {
			struct address address = interface->addresses[j];

			if (entry_claims(entry, &address))
				continue;
			interface->addresses[kept++] = address;
			entry->owners[entry->owners_count].entry = entry;
			entry->owners[entry->owners_count++].address = address;
		}
		interface->addresses_count = kept;
	}
	return 0;
}

/* Whoever may set its own addresses gets none that another workload has. */
static void yield_owned_addresses(const struct registry *registry, struct registry_entry *entry,
	const struct registry_entry *former)
{
	for (size_t i = 0; i < entry->owners_count; i++) {
		const struct address *address = &entry->owners[i].address;
		const struct registry_owner *owner = find_owner(registry, address);

		if (owner && owner->entry != former)
			workload_remove_address(entry->workload, address);
	}
}

/*
 * A claim that the same run of the workload made before is older than whoever took the address
 * since: it stays lost. A restarted workload claims anew.
 */
static void yield_lost_addresses(const struct registry *registry, struct registry_entry *entry,
	const struct registry_entry *former)
{
	if (!former || former->workload->started_ns != entry->workload->started_ns)
		return;
	for (size_t i = 0; i < entry->owners_count; i++) {
		const struct address *address = &entry->owners[i].address;
		const struct registry_owner *owner = find_owner(registry, address);

		if (owner && owner->entry != former && entry_claims(former, address))
			workload_remove_address(entry->workload, address);
	}
}

int registry_claims_prepare(const struct registry *registry, struct registry_entry *entry,
	const struct registry_entry *former)
{
	int r = collect_claims(entry);

	if (r == 0 && entry->workload->observed)
		yield_owned_addresses(registry, entry, former);
	else if (r == 0)
		yield_lost_addresses(registry, entry, former);
	return r;
}

static bool workload_has_address(const struct workload *workload, const struct address *address)
{
	for (size_t i = 0; i < workload->interfaces_count; i++)
		for (size_t j = 0; j < workload->interfaces[i].addresses_count; j++)
			if (address_equal(&workload->interfaces[i].addresses[j], address))
				return true;
	return false;
}

static int take_addresses(struct registry *registry, struct registry_entry *entry)
{
	int r = 0;

	for (size_t i = 0; i < entry->owners_count; i++) {
		struct registry_owner *owner = &entry->owners[i], *former;

		if (!workload_has_address(entry->workload, &owner->address))
			continue;
		former = find_owner(registry, &owner->address);
		if (former) {
			HASH_DEL(registry->owners, former);
			workload_remove_address(former->entry->workload, &owner->address);
		}
		HASH_ADD(hh, registry->owners, address, sizeof(owner->address), owner);
		if (!HASH_ADDED(owner)) {
			workload_remove_address(entry->workload, &owner->address);
			r = -ENOMEM;
		}
	}
	return r;
}

void registry_claims_release(struct registry *registry, const struct registry_entry *entry)
{
	for (size_t i = 0; i < entry->owners_count; i++) {
		struct registry_owner *owner = find_owner(registry, &entry->owners[i].address);

		if (owner == &entry->owners[i])
			HASH_DEL(registry->owners, owner);
	}
}

static void workload_release_ifindex(struct workload *workload, uint32_t ifindex)
{
	for (size_t i = 0; i < workload->interfaces_count; i++)
		if (workload->interfaces[i].ifindex == ifindex)
			workload->interfaces[i].ifindex = 0;
}

/* Interface indexes come back: whoever was put last owns it. */
static void take_interfaces(struct registry *registry, const struct registry_entry *entry)
{
	const struct workload *workload = entry->workload;

	for (struct registry_entry *other = registry->entries; other; other = other->hh.next)
		for (size_t i = 0; other != entry && i < workload->interfaces_count; i++)
			workload_release_ifindex(other->workload, workload->interfaces[i].ifindex);
}

int registry_claims_take(struct registry *registry, struct registry_entry *entry)
{
	take_interfaces(registry, entry);
	return take_addresses(registry, entry);
}

void registry_claims_forget(
	struct registry *registry, struct registry_entry *entry, const struct address *address)
{
	for (size_t i = 0; i < entry->owners_count; i++) {
		struct registry_owner *owner = &entry->owners[i];

		if (owner->forgotten || !address_equal(&owner->address, address))
			continue;
		owner->forgotten = true;
		if (find_owner(registry, address) == owner)
			HASH_DEL(registry->owners, owner);
	}
}

static bool claims_include(const struct registry_entry *outer, const struct registry_entry *inner)
{
	for (size_t i = 0; i < inner->owners_count; i++)
		if (!inner->owners[i].forgotten && !entry_claims(outer, &inner->owners[i].address))
			return false;
	return true;
}

bool registry_claims_equal(const struct registry_entry *a, const struct registry_entry *b)
{
	return claims_include(a, b) && claims_include(b, a);
}

const struct registry_owner *registry_claims_find(
	const struct registry *registry, const struct address *address)
{
	return find_owner(registry, address);
}
