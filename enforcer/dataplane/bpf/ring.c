/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define RECORD_ALIGNMENT 8

static size_t page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

int ring_open(struct ring *ring, int map, size_t bytes, struct error *error)
{
	struct ring fresh = {.map = map, .bytes = bytes};
	size_t page = page_bytes();
	void *memory;

	memory = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	if (memory == MAP_FAILED)
		return error_errno(error, -errno, "map a ring buffer's reader into memory");
	fresh.consumer = memory;
	memory = mmap(NULL, page, PROT_READ, MAP_SHARED, map, (off_t)page);
	if (memory == MAP_FAILED) {
		int r = error_errno(error, -errno, "map a ring buffer's writers into memory");

		munmap(fresh.consumer, page);
		return r;
	}
	fresh.producer = memory;
	*ring = fresh;
	return 0;
}

static size_t window_bytes(const struct ring *ring)
{
	size_t bytes = ring->bytes < RING_WINDOW_BYTES ? ring->bytes : RING_WINDOW_BYTES;

	return bytes + RING_RECORD_MAX;
}

static void close_window(struct ring *ring)
{
	if (ring->window)
		munmap(ring->window, window_bytes(ring));
	ring->window = NULL;
}

void ring_close(struct ring *ring)
{
	if (!ring_is_open(ring))
		return;
	close_window(ring);
	munmap((void *)ring->producer, page_bytes());
	munmap(ring->consumer, page_bytes());
	*ring = (struct ring){0};
}

/* NULL: no memory. The kernel shows the first records once more behind the last. */
static const unsigned char *record_at(struct ring *ring, unsigned long position)
{
	size_t place = position & (ring->bytes - 1), start = place & ~(RING_WINDOW_BYTES - 1UL);
	void *memory;

	if (ring->window && ring->window_start == start)
		return ring->window + (place - start);
	memory = mmap(NULL, window_bytes(ring), PROT_READ, MAP_SHARED, ring->map,
		(off_t)(2 * page_bytes() + start));
	if (memory == MAP_FAILED)
		return NULL;
	close_window(ring);
	ring->window = memory;
	ring->window_start = start;
	return ring->window + (place - start);
}

static size_t record_bytes(uint32_t size)
{
	return ((size_t)size + BPF_RINGBUF_HDR_SZ + RECORD_ALIGNMENT - 1) &
	       ~(RECORD_ALIGNMENT - 1UL);
}

int ring_read(struct ring *ring, ring_visit *visit, void *userdata)
{
	unsigned long position = *ring->consumer; /* nobody else writes it */
	int r = 0;

	while (!r && position != __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE)) {
		const unsigned char *record = record_at(ring, position);
		uint32_t header, size;

		if (!record)
			break;
		header = __atomic_load_n((const uint32_t *)record, __ATOMIC_ACQUIRE);
		if (header & BPF_RINGBUF_BUSY_BIT) /* still being written */
			break;
		size = header & ~(uint32_t)BPF_RINGBUF_DISCARD_BIT;
		if (!(header & BPF_RINGBUF_DISCARD_BIT) && size <= RING_RECORD_MAX)
			r = visit(userdata, (void *)(record + BPF_RINGBUF_HDR_SZ), size);
		position += record_bytes(size);
		/* The writers may use its place from here on. */
		__atomic_store_n(ring->consumer, position, __ATOMIC_RELEASE);
	}
	return r;
}
