/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads a BPF ring buffer. Not by libbpf, which maps the records twice, one after the other, so
 * that none is cut in two where they begin anew: that counts twice as this process's memory. Here
 * only as much is repeated as one record can take.
 *
 * The format is the kernel's (BPF_RINGBUF_* in linux/bpf.h): a page with the position of the
 * reader, one with that of the writers, then the records, each behind a header of 8 bytes.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define RING_RECORD_MAX 16384 /* bytes; whole pages */

struct ring {
	unsigned long *consumer; /* NULL: not open */
	const unsigned long *producer;
	const unsigned char *records;
	size_t bytes; /* of the records, without what is repeated */
};

static inline bool ring_is_open(const struct ring *ring)
{
	return ring->consumer;
}

/* Gets one record, which is valid until it returns. Not 0: that was enough for now. */
typedef int ring_visit(void *userdata, void *record, size_t size);

/* bytes: the map's max_entries. The map can be polled; it is readable when there are records. */
int ring_open(struct ring *ring, int map, size_t bytes, struct error *error);
/* Hands out what is there, oldest first. 0, or what visit returned behind its last record. */
int ring_read(struct ring *ring, ring_visit *visit, void *userdata);
void ring_close(struct ring *ring);
