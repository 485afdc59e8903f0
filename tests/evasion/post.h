/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sends frames from one network namespace and sees what arrives in another, by packet sockets on
 * eth0 and by UDP sockets. */
#pragma once

#include "base/error.h"
#include "trick.h"

struct post {
	int sender;
	int capture;
	int denied; /* sockets of the victim on both ports, for both families */
	int allowed;
	uint32_t markers;
};

#define POST_INIT                 \
	{                         \
		-1, -1, -1, -1, 0 \
	}

/* Stays in to's namespace. Fills in scene->own_mac. */
int post_open(struct post *post, const char *from, const char *to, struct scene *scene,
	struct error *error);
void post_close(struct post *post);

/* The victim speaks to the node from its allowed port, over both families. */
int post_victim_speaks(const struct post *post, const struct scene *scene, struct error *error);

/*
 * Sends all frames, and a datagram that always passes behind them, on one CPU: what has not come
 * when that comes will not come. *ret_arrived: bit i for frame i; *ret_received: datagrams that the
 * socket on the denied port got. -ETIMEDOUT: the last one did not come.
 */
int post_shoot(struct post *post, const struct shot *shot, unsigned int *ret_arrived,
	unsigned int *ret_received, struct error *error);
