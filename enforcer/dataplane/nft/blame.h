/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Says in the words of sets and policies what of a batch the kernel refused. */
#pragma once

#include "dataplane/nft/table_write.h"

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * As batch_explain_fn; userdata is the struct table_change that the batch was written from. An
 * element is named by its key, its set, and where a policy is behind it by that: "element 10.0.0.4
 * of map ingress4 (to chain ingress-…, policy shop/db)". A chain or its rule by the chain and the
 * policy. False where there is nothing to add to the description of the message.
 */
bool blame_explain(
	const struct nlmsghdr *message, size_t offset, char *text, size_t size, void *change);

/* A key as nft would list it: "10.0.0.4 . tcp . 443" with protocols as numbers. */
void blame_format_key(
	const struct shape *shape, const uint8_t *key, size_t length, char *text, size_t size);
