/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What conntrack said of entries that are to be deleted, kept until a listing is over: its socket
 * is busy meanwhile. */
#pragma once

#include <libmnl/libmnl.h>
#include <stddef.h>

struct condemned {
	struct nlmsghdr **items; /* owned */
	size_t count;
	size_t size;
};

/* Keeps a copy. 0 or -ENOMEM. */
int condemned_add(struct condemned *condemned, const struct nlmsghdr *message);
void condemned_clear(struct condemned *condemned);
