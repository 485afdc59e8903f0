/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/wishes.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

_Static_assert((int)ABI_INGRESS == (int)DIRECTION_INGRESS &&
		       (int)ABI_EGRESS == (int)DIRECTION_EGRESS &&
		       (int)ABI_DIRECTIONS == (int)DIRECTION_COUNT,
	"directions are passed on as they are");

static const char *const table_names[IDENTITY_KINDS] = {
	[IDENTITY_ADDRESS] = "addresses",
	[IDENTITY_PREFIX] = "prefixes",
	[IDENTITY_INTERFACE] = "endpoints",
};

static int want(struct generations *generations, const struct identity_key *key,
	const struct abi_identity *meaning, struct identity **ret, struct error *error)
{
	struct identity *identity;
	int r;

	r = identities_want(&generations->identities, key, &identity);
	if (r == -E2BIG)
		return error_set(error, r,
			"table %s is full: the old and the new state need more entries than it has",
			table_names[key->kind]);
	if (r < 0)
		return error_nomem(error);
	identity->next = *meaning;
	*ret = identity;
	return 0;
}

/* A workload's own tables in both directions; none for the node and for what is not here. */
static struct abi_identity meaning_of(
	const struct ir *ir, const uint32_t *peer_tables, int64_t workload, uint32_t class)
{
	struct abi_identity meaning = {.class = class};

	if (workload < 0)
		return meaning;
	for (unsigned int direction = 0; direction < ABI_DIRECTIONS; direction++) {
		uint32_t table = ir->subjects[workload].peer_table[direction];

		meaning.peer_table[direction] =
			table == IR_PEER_TABLE_NONE ? ABI_NO_PEER_TABLE : peer_tables[table];
	}
	return meaning;
}

static int want_prefixes(struct generations *generations, const struct ir *ir, struct error *error)
{
	for (size_t i = 0; i < ir->prefixes_count; i++) {
		const struct identity_key key = identity_key_prefix(&ir->prefixes[i].prefix);
		const struct abi_identity meaning = {.class = ir->prefixes[i].class};
		struct identity *identity;
		int r = want(generations, &key, &meaning, &identity, error);

		if (r < 0)
			return r;
	}
	return 0;
}

static int want_addresses(struct generations *generations, const struct ir *ir,
	const uint32_t *peer_tables, struct error *error)
{
	for (size_t i = 0; i < ir->addresses_count; i++) {
		const struct ir_address *address = &ir->addresses[i];
		const struct identity_key key = identity_key_address(&address->address);
		const struct abi_identity meaning =
			meaning_of(ir, peer_tables, address->workload, address->class);
		struct identity *identity;
		int r = want(generations, &key, &meaning, &identity, error);

		if (r < 0)
			return r;
		identity->wanted = (struct abi_address){
			.identity = identity->number,
			.flags = address->workload < 0 ? ABI_ADDRESS_HOST : 0,
		};
	}
	return 0;
}

/* The interface owns its addresses, and judges what comes to it under none of them. */
static int want_interface(struct generations *generations, const struct ir *ir,
	const uint32_t *peer_tables, const struct attachment *attachment, struct error *error)
{
	const struct identity_key key = identity_key_interface(attachment->ifindex);
	struct abi_identity meaning = meaning_of(ir, peer_tables, attachment->workload, 0);
	struct identity *identity;

	for (size_t i = 0; i < attachment->addresses_count; i++) {
		const struct identity_key address = identity_key_address(&attachment->addresses[i]);

		identity = identities_find(&generations->identities, &address);
		if (!identity || !(identity->use & USE_NEXT))
			continue;
		identity->wanted.ifindex = attachment->ifindex;
		memcpy(identity->wanted.mac, attachment->mac, sizeof(identity->wanted.mac));
		if (!meaning.class)
			meaning.class = identity->next.class;
	}
	return want(generations, &key, &meaning, &identity, error);
}

int wishes_build(
	struct generations *generations, const struct dataplane_state *state, struct error *error)
{
	_cleanup_free_ uint32_t *peer_tables = NULL;
	int r;

	r = tables_number(&generations->tables, state->ir, &peer_tables, error);
	if (r < 0)
		return r;
	r = want_prefixes(generations, state->ir, error);
	if (r < 0)
		return r;
	r = want_addresses(generations, state->ir, peer_tables, error);
	if (r < 0)
		return r;
	for (size_t i = 0; i < state->attachments_count; i++) {
		const struct attachment *attachment = &state->attachments[i];

		if (attachment->workload < 0 ||
			!interfaces_find(generations->interfaces, attachment->ifindex))
			continue;
		r = want_interface(generations, state->ir, peer_tables, attachment, error);
		if (r < 0)
			return r;
	}
	return 0;
}
