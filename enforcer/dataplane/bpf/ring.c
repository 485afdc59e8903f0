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

/* The writers' page and the records behind it. */
static size_t written_bytes(const struct ring *ring)
{
	return page_bytes() + ring->bytes + RING_RECORD_MAX;
}

int ring_open(struct ring *ring, int map, size_t bytes, struct error *error)
{
	struct ring fresh = {.bytes = bytes};
	size_t page = page_bytes();
	void *memory;

	memory = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	if (memory == MAP_FAILED)
		return error_errno(error, -errno, "map a ring buffer's reader into memory");
	fresh.consumer = memory;
	memory = mmap(NULL, written_bytes(&fresh), PROT_READ, MAP_SHARED, map, (off_t)page);
	if (memory == MAP_FAILED) {
		int r = error_errno(error, -errno, "map a ring buffer's records into memory");

		munmap(fresh.consumer, page);
		return r;
	}
	fresh.producer = memory;
	fresh.records = (const unsigned char *)memory + page;
	*ring = fresh;
	return 0;
}

void ring_close(struct ring *ring)
{
	if (!ring_is_open(ring))
		return;
	munmap((void *)ring->producer, written_bytes(ring));
	munmap(ring->consumer, page_bytes());
	*ring = (struct ring){0};
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
		const unsigned char *record = ring->records + (position & (ring->bytes - 1));
		uint32_t header = __atomic_load_n((const uint32_t *)record, __ATOMIC_ACQUIRE);
		uint32_t size =
			header & ~(uint32_t)(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

		if (header & BPF_RINGBUF_BUSY_BIT) /* still being written */
			break;
		if (!(header & BPF_RINGBUF_DISCARD_BIT) && size <= RING_RECORD_MAX)
			r = visit(userdata, (void *)(record + BPF_RINGBUF_HDR_SZ), size);
		position += record_bytes(size);
		/* The writers may use its place from here on. */
		__atomic_store_n(ring->consumer, position, __ATOMIC_RELEASE);
	}
	return r;
}
