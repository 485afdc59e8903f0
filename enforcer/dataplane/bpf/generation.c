/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/generation.h"

#include "base/cleanup.h"
#include "dataplane/bpf/batch.h"
#include "dataplane/bpf/endpoints.h"
#include "dataplane/bpf/wishes.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

static int write_address(const struct objects *objects, const struct identity *identity,
	const struct abi_address *owner)
{
	return bpf_map_update_elem(objects->maps.addresses, identity->key.bytes, owner, BPF_ANY);
}

static struct abi_prefix_key prefix_key(const struct identity *identity)
{
	struct abi_prefix_key key = {.length = identity->key.length};

	memcpy(key.bytes, identity->key.bytes, sizeof(key.bytes));
	return key;
}

static void delete_entry(const struct objects *objects, const struct identity *identity)
{
	const struct abi_prefix_key key = prefix_key(identity);

	if (identity->key.kind == IDENTITY_ADDRESS)
		bpf_map_delete_elem(objects->maps.addresses, identity->key.bytes);
	else if (identity->key.kind == IDENTITY_PREFIX)
		bpf_map_delete_elem(objects->maps.prefixes, &key);
}

/* What a packet gets that is judged by the prefix around: a class, but no tables of its own. */
static struct abi_identity outsider(uint32_t class)
{
	return (struct abi_identity){.class = class};
}

/*
 * Fills both slots of an identity so that it means in each generation what it shall mean there: one
 * that a generation does not have means what the prefix around it means in that generation. It can
 * then come and go in the kernel's tables while the other generation runs.
 */
static void write_slots(struct generations *generations, struct identity *identity)
{
	const struct objects *objects = generations->objects;
	unsigned int running = objects_slot(objects), next = running ^ 1;
	const struct identity *cover;

	if (identity->use & USE_NEXT) {
		*objects_identity(objects, identity->number, next) = identity->next;
	} else {
		cover = identities_cover(&generations->identities, &identity->key, USE_NEXT);
		*objects_identity(objects, identity->number, next) =
			outsider(cover ? cover->next.class : 0);
	}
	if (!(identity->use & USE_RUNNING)) {
		cover = identities_cover(&generations->identities, &identity->key, USE_RUNNING);
		*objects_identity(objects, identity->number, running) = outsider(
			cover ? objects_identity(objects, cover->number, running)->class : 0);
	}
}

static bool changes_hands(const struct identity *identity)
{
	return memcmp(&identity->owner, &identity->wanted, sizeof(identity->owner)) != 0;
}

static struct abi_address withdrawn(const struct identity *identity)
{
	return (struct abi_address){.identity = identity->number};
}

static int stage_entry(const struct objects *objects, struct identity *identity,
	struct batch *addresses, struct batch *prefixes, struct error *error)
{
	const struct abi_prefix prefix = {.identity = identity->number};
	const struct abi_prefix_key key = prefix_key(identity);
	const struct abi_address nobody = withdrawn(identity);
	int r;

	switch (identity->key.kind) {
	case IDENTITY_PREFIX:
		return identity->use == USE_NEXT ? batch_put(prefixes, &key, &prefix, error) : 0;
	case IDENTITY_ADDRESS:
		if (identity->use == USE_NEXT) {
			identity->owner = nobody;
			return batch_put(addresses, identity->key.bytes, &nobody, error);
		}
		if (!(identity->use & USE_NEXT) || !changes_hands(identity) ||
			!identity->owner.ifindex)
			return 0;
		r = write_address(objects, identity, &nobody);
		return r < 0 ? error_errno(error, r, "write to table addresses") : 0;
	default:
		return 0;
	}
}

static int stage(struct generations *generations, struct error *error)
{
	const struct objects *objects = generations->objects;
	_cleanup_batch_ struct batch addresses = {objects->maps.addresses, "addresses",
		sizeof(struct abi_address_key), sizeof(struct abi_address), 0, NULL, NULL};
	_cleanup_batch_ struct batch prefixes = {objects->maps.prefixes, "prefixes",
		sizeof(struct abi_prefix_key), sizeof(struct abi_prefix), 0, NULL, NULL};
	struct identity *identity;
	int r;

	r = tables_write(&generations->tables, objects, error);
	if (r < 0)
		return r;
	for (identity = generations->identities.items; identity; identity = identity->hh.next)
		write_slots(generations, identity);
	/* An entry leads to its identity, so that must be written first. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (identity = generations->identities.items; identity; identity = identity->hh.next) {
		r = stage_entry(objects, identity, &addresses, &prefixes, error);
		if (r < 0)
			return r;
	}
	r = batch_flush(&prefixes, error);
	return r < 0 ? r : batch_flush(&addresses, error);
}

/* Back to what runs. Entries of the next generation never had a meaning of their own, so deleting
 * them changes nothing. */
static void roll_back(struct generations *generations)
{
	const struct objects *objects = generations->objects;
	struct identity *identity, *next;

	HASH_ITER (hh, generations->identities.items, identity, next) {
		if (identity->use == USE_NEXT) {
			delete_entry(objects, identity);
			identities_remove(&generations->identities, identity);
			continue;
		}
		if (identity->key.kind == IDENTITY_ADDRESS && identity->use & USE_NEXT &&
			changes_hands(identity))
			write_address(objects, identity, &identity->owner);
		identity->use = USE_RUNNING;
	}
	tables_roll_back(&generations->tables, objects);
}

static int grant_addresses(struct generations *generations, struct error *error)
{
	const struct objects *objects = generations->objects;
	struct identity *identity;
	int result = 0, r;

	for (identity = generations->identities.items; identity; identity = identity->hh.next) {
		if (identity->key.kind != IDENTITY_ADDRESS || !(identity->use & USE_NEXT) ||
			!changes_hands(identity))
			continue;
		r = write_address(objects, identity, &identity->wanted);
		if (r < 0)
			result = error_errno(error, r, "write to table addresses");
		else
			identity->owner = identity->wanted;
	}
	return result;
}

/* Addresses that nobody has any more lose their interface now and not when they are collected:
 * whoever uses one next is no workload, and must not be taken for the one that had it. */
static int withdraw_addresses(struct generations *generations, struct error *error)
{
	struct identity *identity;
	int result = 0, r;

	for (identity = generations->identities.items; identity; identity = identity->hh.next) {
		const struct abi_address nobody = withdrawn(identity);

		if (identity->key.kind != IDENTITY_ADDRESS || identity->use & USE_NEXT ||
			!identity->owner.ifindex)
			continue;
		r = write_address(generations->objects, identity, &nobody);
		if (r < 0)
			result = error_errno(error, r, "write to table addresses");
		else
			identity->owner = nobody;
	}
	return result;
}

/* From an earlier agent's programs and maps to ours. The second look is at what its programs have
 * opened since the first. */
static int replace_programs(struct generations *generations, struct error *error)
{
	struct interfaces *interfaces = generations->interfaces;
	struct former_connections again = {0};
	int r;

	former_connections_take(generations->objects, interfaces->pins, &generations->former);
	r = interfaces_exchange(interfaces, error);
	objects_wait_for_packets();
	former_connections_take(generations->objects, interfaces->pins, &again);
	generations->former.taken += again.taken;
	return r;
}

/* The new policy is in force already: what fails here leaves something refused, and is tried again
 * by the next apply. */
static int grant(
	struct generations *generations, const struct dataplane_state *state, struct error *error)
{
	int result, r;

	result = grant_addresses(generations, error);
	r = endpoints_grant(generations, state, error);
	if (r < 0)
		result = r;
	if (generations->interfaces->outdated) {
		r = replace_programs(generations, error);
		if (r < 0)
			result = r;
	}
	r = endpoints_leave(generations, error);
	if (r < 0)
		result = r;
	/* Last, so that a workload that is let go speaks in its own name until it has gone. */
	r = withdraw_addresses(generations, error);
	return r < 0 ? r : result;
}

int generations_apply(
	struct generations *generations, const struct dataplane_state *state, struct error *error)
{
	int r;

	generations_collect(generations);
	laps_end(state->laps, "wait");
	r = endpoints_ensure(generations, state, error);
	laps_end(state->laps, "attach");
	if (r < 0) {
		endpoints_give_up(generations);
		return r;
	}
	r = wishes_build(generations, state, error);
	laps_end(state->laps, "number");
	if (r == 0)
		r = objects_reach(
			generations->objects, generations->identities.numbers.next, error);
	if (r == 0)
		r = stage(generations, error);
	laps_end(state->laps, "write");
	if (r < 0) {
		roll_back(generations);
		endpoints_give_up(generations);
		return r;
	}
	objects_flip(generations->objects);
	generations->uncollected = true;
	r = grant(generations, state, error);
	laps_end(state->laps, "grant");
	return r;
}

void generations_collect(struct generations *generations)
{
	struct identity *identity, *next;

	if (!generations->uncollected)
		return;
	objects_wait_for_packets();
	/* Their entries were gone before the wait. */
	numbers_release(&generations->identities.numbers);
	tables_commit(&generations->tables, generations->objects);
	HASH_ITER (hh, generations->identities.items, identity, next) {
		if (identity->use & USE_NEXT) {
			identity->use = USE_RUNNING;
			continue;
		}
		delete_entry(generations->objects, identity);
		identities_remove(&generations->identities, identity);
	}
	generations->uncollected = false;
}

void generations_clear(struct generations *generations)
{
	tables_clear(&generations->tables);
	identities_clear(&generations->identities);
}
