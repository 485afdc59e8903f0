/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Elements of nftables sets and verdict maps as plain values: sorted, compared, diffed, and written
 * as netlink attributes. (libnftnl's elements cost ten times the memory, and 100,000 are normal.)
 */
#pragma once

#include "base/address.h"
#include "dataplane/nft/batch.h"

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELEMENT_KEY_MAX 40 /* two IPv6 addresses, protocol, port; each in whole 32-bit words */
#define ELEMENT_END_MAX 20 /* of what has ranges: protocol and port, type and code */

/* Where a lookup leads. */
struct target {
	int32_t code;   /* NFT_RETURN, NFT_GOTO, NFT_JUMP; NF_DROP; TARGET_NONE in sets */
	uint64_t chain; /* id of the chain (ruleset.h) for NFT_GOTO and NFT_JUMP, else 0 */
};

#define TARGET_NONE INT32_MIN

enum element_kind {
	ELEMENT_SINGLE,
	ELEMENT_RANGE,     /* of a concatenation: key .. key_end, both included */
	ELEMENT_RANGE_END, /* of a plain interval set: the first key behind an interval */
};

struct element {
	union { /* there are many: of an ELEMENT_RANGE, the second half is where it ends */
		uint8_t key[ELEMENT_KEY_MAX];
		struct {
			uint8_t key_start[ELEMENT_END_MAX];
			uint8_t key_end[ELEMENT_END_MAX];
		};
	};
	uint8_t key_length;
	uint8_t kind; /* enum element_kind */
	uint32_t timeout_s;
	struct target target;
};

struct element_list {
	struct element *items;
	size_t count;
	size_t size;
};

/* Name of the chain with this id, never NULL. */
typedef const char *(*chain_name_fn)(uint64_t id, void *userdata);

bool target_equal(struct target a, struct target b);

/* Appends a field as whole 32-bit words, as nftables' registers hold it. */
void element_key_add(struct element *element, const void *bytes, size_t size);
void element_key_end_add(struct element *element, size_t at, const void *bytes, size_t size);
/* An address takes 4 or 16 bytes. */
void element_key_add_address(struct element *element, const struct address *address);

int element_list_add(struct element_list *list, const struct element *element);
/* So many more can be added without a failure. 0 or -ENOMEM. */
int element_list_reserve(struct element_list *list, size_t count);
/* Where all of them lead; code TARGET_NONE: not to one place, or there are none. */
struct target element_list_target(const struct element_list *list);
/* By key. Of elements with equal keys one is kept. */
void element_list_sort(struct element_list *list);
void element_list_clear(struct element_list *list);

/* Both sorted. */
bool element_list_equal(const struct element_list *one, const struct element_list *other);

/* Both sorted. What is only in before, or differs, goes to removed; what is only in after, or
 * differs, to added: an element with another target is in both. */
int element_list_diff(const struct element_list *before, const struct element_list *after,
	struct element_list *removed, struct element_list *added);

/* The other way round: list becomes what it is without removed and with added. All sorted. */
int element_list_patch(struct element_list *list, const struct element_list *removed,
	const struct element_list *added);

/* NFT_MSG_NEWSETELEM or NFT_MSG_DELSETELEM for all of list, in as many messages as it takes. */
int element_list_write(struct batch *batch, uint16_t type, uint16_t flags, const char *set,
	const struct element_list *list, chain_name_fn chain_name, void *userdata);
