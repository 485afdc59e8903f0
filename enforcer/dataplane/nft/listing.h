/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads back from the kernel what is in a table of family inet that has our layout. */
#pragma once

#include "dataplane/nft/ruleset.h"

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>

#define LISTING_COMMENT_MAX 128

/* The table's comment, "" for none. -ENOENT: no table. */
int listing_table(
	struct mnl_socket *socket, const char *table, char comment[static LISTING_COMMENT_MAX]);

/* Chains and sets that policies have made, and the elements of those sets that change. Fills an
 * empty ruleset. */
int listing_ruleset(struct mnl_socket *socket, const char *table, struct ruleset *ret);

/* Calls back with the name of each chain of this table. A negative return value ends
 * the listing and is passed on. */
typedef int (*listing_chain_fn)(const char *name, void *userdata);
int listing_chains(struct mnl_socket *socket, uint16_t family, const char *table,
	listing_chain_fn callback, void *userdata);

/* How many rules the table has; 0 also where there is no table. */
int listing_count_rules(struct mnl_socket *socket, uint16_t family, const char *table, size_t *ret);

/* Calls back with key, packets and bytes of each element that counts, of a message with elements as
 * listings and notifications bring them. A negative return value is passed on. */
typedef int (*listing_counted_fn)(
	const uint8_t *key, size_t key_length, uint64_t packets, uint64_t bytes, void *userdata);
int listing_counted_message(
	const struct nlmsghdr *message, listing_counted_fn callback, void *userdata);

/* A named counter. -ENOENT */
int listing_counter(struct mnl_socket *socket, const char *table, const char *name,
	uint64_t *ret_packets, uint64_t *ret_bytes);
/* The same, and sets it to zero. */
int listing_take_counter(struct mnl_socket *socket, const char *table, const char *name,
	uint64_t *ret_packets, uint64_t *ret_bytes);
