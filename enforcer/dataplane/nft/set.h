/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Declares sets and verdict maps by what their keys are made of. */
#pragma once

#include "dataplane/nft/batch.h"

#include <stdbool.h>
#include <stdint.h>

enum field {
	FIELD_END,
	FIELD_IPV4,
	FIELD_IPV6,
	FIELD_PROTOCOL,
	FIELD_PORT,
	FIELD_ICMP_TYPE,
	FIELD_ICMP_CODE,
	FIELD_ICMPV6_TYPE,
	FIELD_ICMPV6_CODE,
	FIELD_INTERFACE, /* its index, in host byte order */
	FIELD_MAC,
	FIELD_FAMILY, /* NFPROTO_IPV4 or _IPV6 */
};

#define SHAPE_FIELDS_MAX 4

struct shape {
	enum field fields[SHAPE_FIELDS_MAX + 1];
	bool ranges;   /* keys are intervals */
	bool verdicts; /* a map to verdicts */
	bool timeouts; /* elements vanish by themselves */
	bool dynamic;  /* packets add elements */
	uint32_t size; /* 0: no bound */
};

/* NFT_MSG_NEWSET; in a rewriting batch without the elements that it had, unless packets add
 * them or time takes them out. 0 or -ENOMEM. */
int set_write(struct batch *batch, const char *name, const struct shape *shape);
/* Removes all elements. */
int set_write_flush(struct batch *batch, const char *name);
/* NFT_MSG_DELSET */
int set_write_removal(struct batch *batch, const char *name);
