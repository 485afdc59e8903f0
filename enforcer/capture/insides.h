/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taps inside workloads that have no interface on the node (macvlan, ipvlan). A tap keeps its
 * network namespace alive, so it is given up with the workload. */
#pragma once

#include "base/error.h"
#include "capture/tap.h"
#include "capture/view.h"

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#define INSIDES_MAX 128 /* at once */

struct insides {
	struct inside {
		struct tap *tap;
		uint32_t number; /* view_interface.number */
	} taps[INSIDES_MAX];
	size_t count;
	size_t untapped; /* that the last view wants, and for which there is no room */
	uint64_t drops;  /* of taps that were given up */
	void (*packet)(struct tap *tap, const struct tap_packet *packet, void *userdata);
	void *userdata; /* of packet */
};

/* Taps what the view wants, and gives up what it does not. One that goes meanwhile is as if it had
 * never been there. Errors of tap_new(). */
int insides_follow(
	struct insides *insides, const struct view *view, sd_event *event, struct error *error);
/* 0: none of these. */
uint32_t insides_number(const struct insides *insides, const struct tap *tap);
/* How many packets did not fit into the sockets so far. */
uint64_t insides_drops(struct insides *insides);
/* Gives up all. */
void insides_clear(struct insides *insides);
