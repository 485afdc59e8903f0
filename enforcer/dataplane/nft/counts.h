/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes counts out of sets whose elements packets add: elements are deleted, and the kernel's
 * notification of that carries their last count. What was taken is not in the kernel any more, so
 * an agent that is killed and started again reports nothing twice.
 *
 * Why not NFT_MSG_GETSETELEM_RESET: Linux has it only from 6.5 on, and on 6.18 such dumps came out
 * short: 150, and another time 141, of 70,000 refusals were in no answer. The cause is not known.
 */
#pragma once

#include "dataplane/nft/listing.h"

#include <libmnl/libmnl.h>
#include <stdint.h>

struct counts_set {
	uint16_t family;   /* NFPROTO_INET or NFPROTO_NETDEV */
	const char *table; /* its name */
	const char *name;  /* of the set */
};

/* Calls back with what each element has counted since the last call, or since it came. 0 or -errno;
 * -ENOENT: no such set. After an error in the middle, what the callback did not get is lost. */
int counts_take(struct mnl_socket *socket, const struct counts_set *set,
	listing_counted_fn callback, void *userdata);
