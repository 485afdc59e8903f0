/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sends packets from any place and sees what is delivered at any: raw sockets, which come behind
 * the netfilter hooks also on the node itself.
 */
#pragma once

#include "network.h"
#include "packet.h"

#define POST_PROTOCOLS 5
#define POST_SOCKETS   (PLACES * 2 * POST_PROTOCOLS)

struct post {
	int senders[PLACES][2]; /* by ipv4 */
	int receivers[POST_SOCKETS];
	int epoll;
};

#define POST_INIT                                                         \
	{                                                                 \
		.senders = {[0 ... PLACES - 1] = {-1, -1}},               \
		.receivers = {[0 ... POST_SOCKETS - 1] = -1}, .epoll = -1 \
	}

struct delivery {
	unsigned int place;
	uint8_t protocol;
	bool tagged;
	uint32_t number;      /* if tagged */
	uint8_t icmp_type;    /* of ICMP */
	uint16_t source_port; /* of the probe that TCP or ICMP answers, where no tag is quoted */
};

/* The network's node is where the process is, before and after. */
int post_open(const struct network *network, struct post *ret, struct error *error);
void post_close(struct post *post);

int post_send(const struct post *post, const struct probe *probe, struct error *error);
/* Waits for the first delivery if there is none, then hands on all that are there. */
int post_receive(const struct post *post, int timeout_ms,
	void (*deliver)(const struct delivery *delivery, void *userdata), void *userdata,
	struct error *error);
