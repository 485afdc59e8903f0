/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workload/registry_private.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void entry_free(struct registry_entry *entry)
{
	free(entry->key);
	workload_free(entry->workload);
	free(entry->wanted_name);
	free(entry->owners);
	free(entry);
}

DEFINE_CLEANUP(struct registry_entry *, entry_free)

static int notify(sd_event_source *source, void *userdata)
{
	const struct registry *registry = userdata;

	(void)source;
	registry->changed(registry->userdata);
	return 0;
}

int registry_new(
	sd_event *event, void (*changed)(void *userdata), void *userdata, struct registry **ret)
{
	struct registry *registry = calloc(1, sizeof(*registry));
	int r;

	if (!registry)
		return -ENOMEM;
	registry->changed = changed;
	registry->userdata = userdata;
	r = sd_event_add_defer(event, &registry->notify, notify, registry);
	if (r >= 0)
		r = sd_event_source_set_enabled(registry->notify, SD_EVENT_OFF);
	if (r < 0) {
		registry_free(registry);
		return r;
	}
	*ret = registry;
	return 0;
}

void registry_free(struct registry *registry)
{
	struct registry_entry *entry, *next;

	if (!registry)
		return;
	HASH_CLEAR(hh, registry->owners);
	HASH_ITER (hh, registry->entries, entry, next) {
		HASH_DEL(registry->entries, entry);
		entry_free(entry);
	}
	sd_event_source_disable_unref(registry->notify);
	free(registry->sorted);
	free(registry);
}

/* Refills registry_at()'s array, whose size put() has seen to, and has the agent told. */
static void signal_change(struct registry *registry)
{
	const struct registry_entry *entry;
	size_t count = 0;

	for (entry = registry->entries; entry; entry = entry->hh.next)
		registry->sorted[count++] = entry->workload;
	registry->changes++;
	sd_event_source_set_enabled(registry->notify, SD_EVENT_ONESHOT);
}

static char *make_key(const char *source, const char *id)
{
	char *key = NULL;

	return asprintf(&key, "%s\n%s", source, id) < 0 ? NULL : key;
}

static struct registry_entry *find_entry(const struct registry *registry, const char *key)
{
	struct registry_entry *entry;

	HASH_FIND_STR(registry->entries, key, entry);
	return entry;
}

static int compare_entries(const struct registry_entry *a, const struct registry_entry *b)
{
	int order = strcmp(a->workload->namespace, b->workload->namespace);

	return order ? order : strcmp(a->workload->name, b->workload->name);
}

static void unlink_entry(struct registry *registry, struct registry_entry *entry)
{
	registry_claims_release(registry, entry);
	HASH_DEL(registry->entries, entry);
}

static int link_entry(struct registry *registry, struct registry_entry *entry)
{
	HASH_ADD_KEYPTR_INORDER(
		hh, registry->entries, entry->key, strlen(entry->key), entry, compare_entries);
	return HASH_ADDED(entry) ? 0 : -ENOMEM;
}

static int reserve_sorted(struct registry *registry)
{
	size_t size = HASH_COUNT(registry->entries) + 1;
	const struct workload **grown;

	if (size <= registry->sorted_size)
		return 0;
	size *= 2;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	grown = reallocarray(registry->sorted, size, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	registry->sorted = grown;
	registry->sorted_size = size;
	return 0;
}

static int prepare(
	const struct registry *registry, struct workload *workload, struct registry_entry **ret)
{
	_cleanup_(entry_freep) struct registry_entry *entry = calloc(1, sizeof(*entry));
	const struct registry_entry *former;
	int r;

	if (!entry) {
		workload_free(workload);
		return -ENOMEM;
	}
	entry->workload = workload;
	entry->key = make_key(workload->source, workload->id);
	if (!entry->key)
		return -ENOMEM;
	former = find_entry(registry, entry->key);
	/* Whether its connections may be older than enforcement is a matter of its start. */
	if (former && former->workload->started_ns == workload->started_ns)
		workload->adopt = former->workload->adopt;
	r = registry_resolve_name(registry, entry, former);
	if (r < 0)
		return r;
	r = registry_claims_prepare(registry, entry, former);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(entry);
	return 0;
}

int registry_put(struct registry *registry, struct workload *workload)
{
	_cleanup_(entry_freep) struct registry_entry *entry = NULL, *former = NULL;
	int r;

	r = prepare(registry, workload, &entry);
	if (r < 0)
		return r;
	r = reserve_sorted(registry);
	if (r < 0)
		return r;
	former = find_entry(registry, entry->key);
	if (former) {
		if (registry_claims_equal(former, entry) &&
			workload_equal(former->workload, entry->workload)) {
			(void)TAKE_PTR(former);
			return 0;
		}
		unlink_entry(registry, former);
	}
	r = link_entry(registry, entry);
	if (r == 0)
		r = registry_claims_take(registry, TAKE_PTR(entry));
	signal_change(registry);
	return r;
}

int registry_remove(struct registry *registry, const char *source, const char *id)
{
	_cleanup_free_ char *key = make_key(source, id);
	_cleanup_(entry_freep) struct registry_entry *entry = NULL;

	if (!key)
		return -ENOMEM;
	entry = find_entry(registry, key);
	if (!entry)
		return 0;
	unlink_entry(registry, entry);
	signal_change(registry);
	return 0;
}

static bool contains(const char *const *ids, size_t ids_count, const char *id)
{
	for (size_t i = 0; i < ids_count; i++)
		if (strcmp(ids[i], id) == 0)
			return true;
	return false;
}

int registry_retain(
	struct registry *registry, const char *source, const char *const *ids, size_t ids_count)
{
	struct registry_entry *entry, *next;
	bool any = false;

	HASH_ITER (hh, registry->entries, entry, next) {
		if (strcmp(entry->workload->source, source) != 0 ||
			contains(ids, ids_count, entry->workload->id))
			continue;
		unlink_entry(registry, entry);
		entry_free(entry);
		any = true;
	}
	if (any)
		signal_change(registry);
	return 0;
}

/* With the interface go its addresses, and the claim to them. */
static void entry_drop_interface(
	struct registry *registry, struct registry_entry *entry, size_t index)
{
	struct workload *workload = entry->workload;
	struct workload_interface *interface = &workload->interfaces[index];

	for (size_t i = 0; i < interface->addresses_count; i++)
		registry_claims_forget(registry, entry, &interface->addresses[i]);
	workload_interface_clear(interface);
	workload->interfaces_count--;
	memmove(interface, interface + 1,
		(workload->interfaces_count - index) * sizeof(*interface));
}

int registry_drop_interface(struct registry *registry, uint32_t ifindex)
{
	struct registry_entry *entry;
	bool any = false;

	for (entry = registry->entries; entry; entry = entry->hh.next)
		for (size_t i = 0; i < entry->workload->interfaces_count; i++)
			if (entry->workload->interfaces[i].ifindex == ifindex) {
				entry_drop_interface(registry, entry, i);
				any = true;
				break;
			}
	if (any)
		signal_change(registry);
	return 0;
}

uint64_t registry_changes(const struct registry *registry)
{
	return registry->changes;
}

size_t registry_count(const struct registry *registry)
{
	return HASH_COUNT(registry->entries);
}

const struct workload *registry_at(const struct registry *registry, size_t index)
{
	return registry->sorted[index];
}

const struct workload *registry_find_address(
	const struct registry *registry, const struct address *address)
{
	const struct registry_owner *owner = registry_claims_find(registry, address);

	return owner ? owner->entry->workload : NULL;
}
