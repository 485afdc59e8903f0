/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCAP Next Generation (draft-ietf-opsawg-pcapng), written and read block by block. libpcap reads
 * the format, but does not write it, and passes over comments, names of interfaces and what was
 * dropped. One section, times in nanoseconds, in the byte order of whoever writes; read in that
 * alone, for both ends are on one machine.
 */
#pragma once

#include "flow/writer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PCAPNG_BLOCK_MAX   (1U << 20) /* none that is written here is longer */
#define PCAPNG_COMMENT_MAX 512
#define PCAPNG_SNAP_MAX    262144U

enum pcapng_type {
	PCAPNG_SECTION = 0x0a0d0d0a,
	PCAPNG_INTERFACE = 1,
	PCAPNG_STATISTICS = 5,
	PCAPNG_PACKET = 6
};

enum pcapng_direction {
	PCAPNG_DIRECTION_UNKNOWN,
	PCAPNG_INBOUND,
	PCAPNG_OUTBOUND
};

/* One block. What does not belong to its type is zero. Texts are borrowed, and not terminated where
 * they were read. */
struct pcapng_block {
	enum pcapng_type type;
	uint32_t interface; /* number of, in the order of their blocks */

	/* PCAPNG_INTERFACE */
	uint16_t link;
	uint32_t snap_bytes;

	/* PCAPNG_INTERFACE: name and description; PCAPNG_PACKET: text is its comment;
	 * PCAPNG_SECTION: text is the program that writes */
	const char *text;
	size_t text_length;
	const char *description;
	size_t description_length;

	/* PCAPNG_PACKET and PCAPNG_STATISTICS */
	uint64_t time_ns; /* CLOCK_REALTIME */

	/* PCAPNG_PACKET */
	const uint8_t *bytes;
	uint32_t captured;
	uint32_t length;
	enum pcapng_direction direction; /* as the interface's owner sees it */

	/* PCAPNG_STATISTICS: since the beginning */
	uint64_t received;
	uint64_t dropped;           /* by the kernel, before anybody saw them */
	uint64_t dropped_by_reader; /* since who reads is too slow */
};

/* Appends one block. Texts are cut at PCAPNG_COMMENT_MAX. */
void pcapng_write(struct writer *writer, const struct pcapng_block *block);

/* The block that bytes begin with. Returns its size; 0: it is not whole yet; -EPROTO: this is
 * nothing that pcapng_write() writes. Types that are not in the list are for the caller to skip. */
ssize_t pcapng_read(const uint8_t *bytes, size_t length, struct pcapng_block *ret);
