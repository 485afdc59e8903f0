/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A packet socket: sees what passes the interfaces of one network namespace (packet(7)). */
#pragma once

#include "base/error.h"

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct tap;

struct tap_packet {
	uint32_t ifindex;
	bool is_outgoing; /* the stack of the namespace sends it there */
	uint64_t time_ns; /* CLOCK_REALTIME */
	const uint8_t *frame;
	uint32_t captured;
	uint32_t length;
};

struct tap_options {
	const char *netns; /* path; NULL: where the calling thread is */
	uint32_t ifindex;  /* 0: all */
	const struct bpf_program *filter;
	void (*packet)(struct tap *tap, const struct tap_packet *packet, void *userdata);
	void *userdata;
};

/* Packets come from the event loop, so many at a time that others get their turn. */
int tap_new(
	const struct tap_options *options, sd_event *event, struct tap **ret, struct error *error);
void tap_free(struct tap *tap);
/* In one step. */
int tap_set_filter(struct tap *tap, const struct bpf_program *filter, struct error *error);
/* How many packets did not fit into the socket so far. */
uint64_t tap_drops(struct tap *tap);

static inline void tap_freep(struct tap **tap)
{
	tap_free(*tap);
}
