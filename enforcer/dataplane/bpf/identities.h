/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One number for each address, prefix and interface that the kernel looks up, the same from
 * generation to generation. What it means (class, peer tables) is kept per generation in two slots,
 * so an entry may appear before the generation that wants it and leave after the last that did.
 */
#pragma once

#include "base/address.h"
#include "base/hash.h"
#include "dataplane/bpf/numbers.h"
#include "dataplane/bpf/pool.h"
#include "xdp/abi.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum identity_kind {
	IDENTITY_ADDRESS,
	IDENTITY_PREFIX,
	IDENTITY_INTERFACE, /* judges multicast and broadcast to the workload behind it */
	IDENTITY_KINDS
};

struct identity_key {
	uint8_t kind;
	uint8_t length;    /* of the prefix, in the 128-bit form */
	uint8_t bytes[16]; /* address, or ifindex */
};

struct identity {
	struct identity_key key;
	uint32_t number;
	unsigned int use;          /* USE_* of pool.h */
	struct abi_identity next;  /* its meaning in the generation that is being built */
	struct abi_address owner;  /* addresses: what the kernel is told now */
	struct abi_address wanted; /* and what it shall be told by the next generation */
	UT_hash_handle hh;
};

struct identities {
	struct identity *items;
	struct numbers numbers;
	size_t counts[IDENTITY_KINDS];
	size_t prefixes_by_length[129];
};

struct identity_key identity_key_address(const struct address *address);
struct identity_key identity_key_prefix(const struct prefix *prefix);
struct identity_key identity_key_interface(uint32_t ifindex);

void identities_init(struct identities *identities);
/* NULL: not there. */
struct identity *identities_find(struct identities *identities, const struct identity_key *key);
/* Finds or makes, and marks USE_NEXT. -E2BIG: no number left, or too many of its kind; -ENOMEM. */
int identities_want(
	struct identities *identities, const struct identity_key *key, struct identity **ret);
/* One that is in the kernel already, marked USE_RUNNING. The numbers are adopted by the caller. */
int identities_adopt(struct identities *identities, const struct identity_key *key, uint32_t number,
	struct identity **ret);
/* The longest prefix with this use around an address or a prefix, itself not counted: what its
 * packets are judged by where there is no entry for it. NULL: none. */
struct identity *identities_cover(
	struct identities *identities, const struct identity_key *key, unsigned int use);
/* Its number comes back only after numbers_release(): packets under way may hold it. */
void identities_remove(struct identities *identities, struct identity *identity);
void identities_clear(struct identities *identities);
