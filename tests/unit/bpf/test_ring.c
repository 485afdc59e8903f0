/* SPDX-License-Identifier: GPL-2.0-or-later */
/* On memory of the shape that the kernel gives a ring buffer, written to as the kernel writes. */
#include "dataplane/bpf/ring.h"

#include "base/cleanup.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define RING_BYTES (2UL * RING_WINDOW_BYTES)
#define STOP       (-EAGAIN)

struct fake {
	int fd;
	size_t page;
	unsigned char *memory; /* reader's page, writers' page, records, and what is repeated */
	struct ring ring;
	uint64_t seen[8];
	size_t seen_count;
	size_t stop_after; /* 0: never */
};

static size_t fake_bytes(const struct fake *fake)
{
	return 2 * fake->page + RING_BYTES + RING_RECORD_MAX;
}

static int setup(void **state)
{
	static struct fake fake;

	fake = (struct fake){.page = (size_t)sysconf(_SC_PAGESIZE)};
	fake.fd = memfd_create("ring", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fake.fd, (off_t)fake_bytes(&fake)), 0);
	fake.memory = mmap(NULL, fake_bytes(&fake), PROT_READ | PROT_WRITE, MAP_SHARED, fake.fd, 0);
	assert_ptr_not_equal(fake.memory, MAP_FAILED);
	assert_int_equal(ring_open(&fake.ring, fake.fd, RING_BYTES, NULL), 0);
	*state = &fake;
	return 0;
}

static int teardown(void **state)
{
	struct fake *fake = *state;

	ring_close(&fake->ring);
	ring_close(&fake->ring);
	munmap(fake->memory, fake_bytes(fake));
	close(fake->fd);
	return 0;
}

static unsigned long *consumer(const struct fake *fake)
{
	return (unsigned long *)fake->memory;
}

static unsigned long *producer(const struct fake *fake)
{
	return (unsigned long *)(fake->memory + fake->page);
}

static void put(struct fake *fake, uint64_t value, uint32_t flags)
{
	unsigned char *record =
		fake->memory + 2 * fake->page + (*producer(fake) & (RING_BYTES - 1));
	const uint32_t header = (uint32_t)sizeof(value) | flags;

	memcpy(record, &header, sizeof(header));
	memcpy(record + BPF_RINGBUF_HDR_SZ, &value, sizeof(value));
	*producer(fake) += BPF_RINGBUF_HDR_SZ + sizeof(value);
}

static int see(void *userdata, void *record, size_t size)
{
	struct fake *fake = userdata;

	assert_int_equal(size, sizeof(fake->seen[0]));
	memcpy(&fake->seen[fake->seen_count++], record, size);
	return fake->seen_count == fake->stop_after ? STOP : 0;
}

static void hands_out_in_order_but_not_what_was_discarded(void **state)
{
	struct fake *fake = *state;

	put(fake, 1, 0);
	put(fake, 2, BPF_RINGBUF_DISCARD_BIT);
	put(fake, 3, 0);
	assert_int_equal(ring_read(&fake->ring, see, fake), 0);
	assert_int_equal(fake->seen_count, 2);
	assert_int_equal(fake->seen[0], 1);
	assert_int_equal(fake->seen[1], 3);
	assert_int_equal(*consumer(fake), *producer(fake));
	assert_int_equal(ring_read(&fake->ring, see, fake), 0);
	assert_int_equal(fake->seen_count, 2);
}

static void waits_for_what_is_being_written(void **state)
{
	struct fake *fake = *state;
	unsigned long place;

	put(fake, 1, 0);
	place = *producer(fake);
	put(fake, 2, BPF_RINGBUF_BUSY_BIT);
	put(fake, 3, 0);
	assert_int_equal(ring_read(&fake->ring, see, fake), 0);
	assert_int_equal(fake->seen_count, 1);
	assert_int_equal(*consumer(fake), place);
	*(uint32_t *)(fake->memory + 2 * fake->page + place) = sizeof(fake->seen[0]);
	assert_int_equal(ring_read(&fake->ring, see, fake), 0);
	assert_int_equal(fake->seen_count, 3);
	assert_int_equal(fake->seen[2], 3);
}

static void goes_on_behind_the_record_that_was_enough(void **state)
{
	struct fake *fake = *state;

	put(fake, 1, 0);
	put(fake, 2, 0);
	fake->stop_after = 1;
	assert_int_equal(ring_read(&fake->ring, see, fake), STOP);
	assert_int_equal(ring_read(&fake->ring, see, fake), 0);
	assert_int_equal(fake->seen_count, 2);
	assert_int_equal(fake->seen[1], 2);
}

/* Its header is the last thing before the end; the kernel shows the records once more behind it. */
static void reads_across_the_end(void **state)
{
	struct fake *fake = *state;

	*producer(fake) = *consumer(fake) = 3 * RING_BYTES - BPF_RINGBUF_HDR_SZ;
	put(fake, 7, 0);
	put(fake, 8, 0);
	assert_int_equal(ring_read(&fake->ring, see, fake), 0);
	assert_int_equal(fake->seen_count, 2);
	assert_int_equal(fake->seen[0], 7);
	assert_int_equal(fake->seen[1], 8);
}

static void moves_its_window(void **state)
{
	struct fake *fake = *state;

	*producer(fake) = *consumer(fake) = RING_WINDOW_BYTES - BPF_RINGBUF_HDR_SZ;
	put(fake, 7, 0);
	put(fake, 8, 0);
	assert_int_equal(ring_read(&fake->ring, see, fake), 0);
	assert_int_equal(fake->ring.window_start, RING_WINDOW_BYTES);
	*producer(fake) = *consumer(fake) = 2 * RING_BYTES;
	put(fake, 9, 0);
	assert_int_equal(ring_read(&fake->ring, see, fake), 0);
	assert_int_equal(fake->ring.window_start, 0);
	assert_int_equal(fake->seen_count, 3);
	assert_int_equal(fake->seen[0], 7);
	assert_int_equal(fake->seen[1], 8);
	assert_int_equal(fake->seen[2], 9);
}

static void a_map_that_is_none_is_an_error(void **state)
{
	struct ring ring = {0};

	(void)state;
	assert_int_equal(ring_open(&ring, -1, RING_BYTES, NULL), -EBADF);
	assert_null(ring.consumer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			hands_out_in_order_but_not_what_was_discarded, setup, teardown),
		cmocka_unit_test_setup_teardown(waits_for_what_is_being_written, setup, teardown),
		cmocka_unit_test_setup_teardown(
			goes_on_behind_the_record_that_was_enough, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_across_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(moves_its_window, setup, teardown),
		cmocka_unit_test(a_map_that_is_none_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
