/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Follows the agent's own network namespace: links that come and go, and the node's addresses. */
#pragma once

#include "base/address.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct links;

/* Called from the event loop only, never before links_new() has returned. */
struct links_callbacks {
	/* A veth became a port of a bridge (master: the bridge's name), or is there at the start.
	 */
	void (*port)(uint32_t ifindex, const char *name, const char *master, void *userdata);
	void (*gone)(uint32_t ifindex, void *userdata);
	/* links_host_addresses() has changed. */
	void (*addresses)(void *userdata);
	void *userdata;
};

/* A netlink overrun is followed by a new full listing, so nothing is missed for good. */
int links_new(sd_event *event, const struct links_callbacks *callbacks, struct links **ret,
	struct error *error);
void links_free(struct links *links);

static inline void links_freep(struct links **links)
{
	links_free(*links);
}

/* All addresses of the node but link-local ones; loopback's are in. Valid until the next event. */
const struct address *links_host_addresses(const struct links *links, size_t *ret_count);
