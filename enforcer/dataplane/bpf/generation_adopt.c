/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The running generation as an earlier agent left it in the kernel's maps. */
#include "dataplane/bpf/generation.h"

#include "base/cleanup.h"
#include "dataplane/bpf/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct adoption {
	struct generations *generations;
	uint32_t *numbers; /* that are in use */
	size_t numbers_count;
	bool *live; /* peer tables, by number */
};

static void adoption_clear(struct adoption *adoption)
{
	free(adoption->numbers);
	free(adoption->live);
}

static int adopt(struct adoption *adoption, const struct identity_key *key, uint32_t number,
	const struct abi_address *owner)
{
	struct generations *generations = adoption->generations;
	struct objects *objects = generations->objects;
	const struct abi_identity *meaning;
	struct identity *identity;
	int r;

	if (number >= ABI_MAX_IDENTITIES || adoption->numbers_count == ABI_MAX_IDENTITIES)
		return -EINVAL;
	if (objects_reach(objects, number + 1, NULL) < 0)
		return -ENOMEM;
	meaning = objects_identity(objects, number, objects_slot(objects));
	for (unsigned int i = 0; i < ABI_DIRECTIONS; i++) {
		if (meaning->peer_table[i] >= ABI_MAX_PEER_TABLES)
			return -EINVAL;
		if (meaning->peer_table[i] != ABI_NO_PEER_TABLE)
			adoption->live[meaning->peer_table[i]] = true;
	}
	r = identities_adopt(&generations->identities, key, number, &identity);
	if (r < 0)
		return r;
	if (owner)
		identity->owner = *owner;
	adoption->numbers[adoption->numbers_count++] = number;
	return 0;
}

static int adopt_address(struct adoption *adoption, const void *key, const void *value)
{
	const struct abi_address *owner = value;
	struct address address;
	struct identity_key identity;

	memcpy(address.bytes, key, sizeof(address.bytes));
	identity = identity_key_address(&address);
	return adopt(adoption, &identity, owner->identity, owner);
}

static int adopt_prefix(struct adoption *adoption, const void *key, const void *value)
{
	const struct abi_prefix_key *lpm = key;
	const struct abi_prefix *to = value;
	struct prefix prefix = {.length = (uint8_t)lpm->length};
	struct identity_key identity;

	memcpy(prefix.address.bytes, lpm->bytes, sizeof(prefix.address.bytes));
	identity = identity_key_prefix(&prefix);
	return adopt(adoption, &identity, to->identity, NULL);
}

/* A guard has no identity yet. */
static int adopt_endpoint(struct adoption *adoption, const void *key, const void *value)
{
	const struct abi_endpoint *endpoint = value;
	struct identity_key identity;
	uint32_t ifindex;

	if (endpoint->flags & ABI_ENDPOINT_GUARD)
		return 0;
	memcpy(&ifindex, key, sizeof(ifindex));
	identity = identity_key_interface(ifindex);
	return adopt(adoption, &identity, endpoint->identity, NULL);
}

static int adopt_map(struct adoption *adoption, struct walk *walk,
	int (*visit)(struct adoption *adoption, const void *key, const void *value))
{
	uint32_t count;
	int r;

	do {
		r = walk_next(walk, &count);
		if (r < 0)
			return r;
		for (uint32_t i = 0; i < count; i++) {
			r = visit(adoption, walk->keys + i * walk->key_size,
				walk->values + i * walk->value_size);
			if (r < 0)
				return r;
		}
	} while (count);
	return 0;
}

static int adopt_identities(struct adoption *adoption)
{
	const struct objects *objects = adoption->generations->objects;
	_cleanup_walk_ struct walk addresses =
		WALK_INIT(objects->maps.addresses, struct abi_address_key, struct abi_address);
	_cleanup_walk_ struct walk prefixes =
		WALK_INIT(objects->maps.prefixes, struct abi_prefix_key, struct abi_prefix);
	_cleanup_walk_ struct walk endpoints =
		WALK_INIT(objects->maps.endpoints, uint32_t, struct abi_endpoint);
	int r;

	r = adopt_map(adoption, &addresses, adopt_address);
	if (r < 0)
		return r;
	r = adopt_map(adoption, &prefixes, adopt_prefix);
	if (r < 0)
		return r;
	r = adopt_map(adoption, &endpoints, adopt_endpoint);
	if (r < 0)
		return r;
	return numbers_adopt(&adoption->generations->identities.numbers, adoption->numbers,
		adoption->numbers_count);
}

int generations_adopt(struct generations *generations, struct error *error)
{
	_cleanup_(adoption_clear) struct adoption adoption = {.generations = generations};
	int r;

	tables_init(&generations->tables);
	identities_init(&generations->identities);
	adoption.numbers = calloc(ABI_MAX_IDENTITIES, sizeof(*adoption.numbers));
	adoption.live = calloc(ABI_MAX_PEER_TABLES, sizeof(*adoption.live));
	if (!adoption.numbers || !adoption.live)
		return error_nomem(error);
	r = adopt_identities(&adoption);
	if (r < 0)
		return error_errno(error, r, "read the pinned addresses, prefixes and endpoints");
	return tables_adopt(&generations->tables, generations->objects, adoption.live, error);
}
