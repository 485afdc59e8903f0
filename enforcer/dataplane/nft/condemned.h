/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conntrack entries that are to be deleted, kept until a listing is over: its socket is busy
 * meanwhile. */
#pragma once

#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <stddef.h>

struct condemned {
	struct nf_conntrack **items; /* owned */
	size_t count;
	size_t size;
};

/* Takes ct on success. 0 or -ENOMEM. */
int condemned_add(struct condemned *condemned, struct nf_conntrack *ct);
void condemned_clear(struct condemned *condemned);
