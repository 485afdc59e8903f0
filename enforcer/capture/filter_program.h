/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filters in pcap's syntax as programs of the classic BPF (libpcap compiles them). Compiling may
 * ask for host names over the network, and parses what a person typed: so that is done by whoever
 * asks for a capture, and the agent takes the program, as "tcpdump -ddd" prints it, and checks it.
 */
#pragma once

#include "base/error.h"
#include "capture/view.h"

#include <jansson.h>
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>

#define FILTER_PROGRAM_MAX 4096 /* instructions, as the kernel has it (BPF_MAXINSNS) */

/* Over Ethernet frames. -EINVAL with libpcap's own word about it. */
int filter_program_compile(const char *text, struct bpf_program *ret, struct error *error);
/* [[code, jt, jf, k], …]. New reference; NULL: no memory. */
json_t *filter_program_to_json(const struct bpf_program *program);
/* The reverse. -EINVAL: no program, or one that does not end, or reads what it must not. */
int filter_program_from_json(const json_t *json, struct bpf_program *ret, struct error *error);
void filter_program_clear(struct bpf_program *program);

/* Whether it matches; frame has captured bytes of length. No program (no instructions) matches. */
bool filter_program_matches(const struct bpf_program *program, const uint8_t *frame,
	uint32_t captured, uint32_t length);

/*
 * For the kernel, which then hands out no more than it must: what goes through interfaces that are
 * wanted, and of the others what is of their addresses (all, where these are too many to compare);
 * snap bytes of each packet.
 */
int filter_program_for_view(
	const struct view *view, uint32_t snap, struct bpf_program *ret, struct error *error);

#define _cleanup_filter_program_ __attribute__((cleanup(filter_program_clear)))
