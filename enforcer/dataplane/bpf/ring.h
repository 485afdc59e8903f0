/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads a BPF ring buffer. Not by libbpf, which maps all records, and twice, one after the other,
 * so that none is cut in two where they begin anew: twice its size counts as this process's memory
 * for ever. Here a window moves over the records.
 *
 * The format is the kernel's (BPF_RINGBUF_* in linux/bpf.h): a page with the position of the
 * reader, one with that of the writers, then the records, each behind a header of 8 bytes.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define RING_RECORD_MAX   16384  /* bytes; whole pages, as is … */
#define RING_WINDOW_BYTES 262144 /* … what is in memory at a time, and a record more */

struct ring {
	int map;
	size_t bytes;            /* of all records */
	unsigned long *consumer; /* NULL: not open */
	const unsigned long *producer;
	unsigned char *window; /* NULL: none yet */
	size_t window_start;
};

static inline bool ring_is_open(const struct ring *ring)
{
	return ring->consumer;
}

/* Gets one record, which is valid until it returns. Not 0: that was enough for now. */
typedef int ring_visit(void *userdata, void *record, size_t size);

/* map is borrowed; bytes are its max_entries. It can be polled, and is readable when there are
 * records. */
int ring_open(struct ring *ring, int map, size_t bytes, struct error *error);
/* Hands out what is there, oldest first; what no memory can be had for stays there. 0, or what
 * visit returned behind its last record. */
int ring_read(struct ring *ring, ring_visit *visit, void *userdata);
void ring_close(struct ring *ring);
