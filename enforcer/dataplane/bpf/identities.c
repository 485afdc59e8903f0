/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/identities.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const size_t bounds[IDENTITY_KINDS] = {
	[IDENTITY_ADDRESS] = ABI_MAX_ADDRESSES,
	[IDENTITY_PREFIX] = ABI_MAX_PREFIXES,
	[IDENTITY_INTERFACE] = ABI_MAX_ENDPOINTS,
};

struct identity_key identity_key_address(const struct address *address)
{
	struct identity_key key = {.kind = IDENTITY_ADDRESS, .length = 128};

	memcpy(key.bytes, address->bytes, sizeof(key.bytes));
	return key;
}

struct identity_key identity_key_prefix(const struct prefix *prefix)
{
	struct identity_key key = {.kind = IDENTITY_PREFIX, .length = prefix->length};

	memcpy(key.bytes, prefix->address.bytes, sizeof(key.bytes));
	return key;
}

struct identity_key identity_key_interface(uint32_t ifindex)
{
	struct identity_key key = {.kind = IDENTITY_INTERFACE};

	memcpy(key.bytes, &ifindex, sizeof(ifindex));
	return key;
}

void identities_init(struct identities *identities)
{
	*identities = (struct identities){.numbers = NUMBERS_INIT(0, ABI_MAX_IDENTITIES)};
}

struct identity *identities_find(struct identities *identities, const struct identity_key *key)
{
	struct identity *identity;

	HASH_FIND(hh, identities->items, key, sizeof(*key), identity);
	return identity;
}

static int insert(struct identities *identities, struct identity *identity)
{
	HASH_ADD(hh, identities->items, key, sizeof(identity->key), identity);
	if (!HASH_ADDED(identity))
		return -ENOMEM;
	identities->counts[identity->key.kind]++;
	if (identity->key.kind == IDENTITY_PREFIX)
		identities->prefixes_by_length[identity->key.length]++;
	return 0;
}

int identities_want(
	struct identities *identities, const struct identity_key *key, struct identity **ret)
{
	_cleanup_free_ struct identity *fresh = NULL;
	struct identity *identity = identities_find(identities, key);
	int r;

	if (identity) {
		identity->use |= USE_NEXT;
		*ret = identity;
		return 0;
	}
	if (identities->counts[key->kind] >= bounds[key->kind])
		return -E2BIG;
	fresh = calloc(1, sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	fresh->key = *key;
	fresh->use = USE_NEXT;
	r = numbers_take(&identities->numbers, &fresh->number);
	if (r < 0)
		return r;
	r = insert(identities, fresh);
	if (r < 0) {
		numbers_give(&identities->numbers, fresh->number);
		return r;
	}
	*ret = TAKE_PTR(fresh);
	return 0;
}

int identities_adopt(struct identities *identities, const struct identity_key *key, uint32_t number,
	struct identity **ret)
{
	_cleanup_free_ struct identity *identity = calloc(1, sizeof(*identity));
	int r;

	if (!identity)
		return -ENOMEM;
	identity->key = *key;
	identity->number = number;
	identity->use = USE_RUNNING;
	r = insert(identities, identity);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(identity);
	return 0;
}

static void mask(uint8_t bytes[16], unsigned int length)
{
	for (unsigned int i = 0; i < 16; i++) {
		unsigned int kept = length > i * 8 ? length - i * 8 : 0;

		if (kept < 8)
			bytes[i] &= (uint8_t)(0xff00 >> kept);
	}
}

struct identity *identities_cover(
	struct identities *identities, const struct identity_key *key, unsigned int use)
{
	struct identity_key outer = *key;
	unsigned int first = key->kind == IDENTITY_ADDRESS ? 129 : key->length;

	outer.kind = IDENTITY_PREFIX;
	for (unsigned int length = first; length-- > 0;) {
		struct identity *identity;

		if (!identities->prefixes_by_length[length])
			continue;
		outer.length = (uint8_t)length;
		mask(outer.bytes, length);
		identity = identities_find(identities, &outer);
		if (identity && identity->use & use)
			return identity;
	}
	return NULL;
}

void identities_remove(struct identities *identities, struct identity *identity)
{
	identities->counts[identity->key.kind]--;
	if (identity->key.kind == IDENTITY_PREFIX)
		identities->prefixes_by_length[identity->key.length]--;
	HASH_DEL(identities->items, identity);
	numbers_retire(&identities->numbers, identity->number);
	free(identity);
}

void identities_clear(struct identities *identities)
{
	struct identity *identity, *next;

	HASH_ITER (hh, identities->items, identity, next) {
		HASH_DEL(identities->items, identity);
		free(identity);
	}
	numbers_clear(&identities->numbers);
}
