/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many entries of a BPF map for one system call. */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BATCH_ENTRIES 4096

/* Entries to be written. Errors name the table. */
struct batch {
	int map;
	const char *table;
	size_t key_size, value_size;
	uint32_t count;
	unsigned char *keys, *values;
};

/* Adds or replaces the entry, now or by batch_flush(). -E2BIG: the table is full; -ENOMEM; what the
 * kernel says. */
int batch_put(struct batch *batch, const void *key, const void *value, struct error *error);
int batch_flush(struct batch *batch, struct error *error);
/* Forgets what was not flushed. */
void batch_clear(struct batch *batch);

#define _cleanup_batch_ __attribute__((cleanup(batch_clear)))

/* Entries to be read, chunk by chunk. May rest between chunks while the map changes: an entry that
 * is there all the time is met at least once. */
struct walk {
	int map;
	size_t key_size, value_size;
	unsigned char *keys, *values;
	unsigned char token[32]; /* the kernel's place: a bucket, or the last key of a trie */
	bool started, finished;
	uint32_t chunk; /* entries at a time; 0: BATCH_ENTRIES */
};

#define WALK_INIT(fd, key, value)                                                 \
	{                                                                         \
		.map = (fd), .key_size = sizeof(key), .value_size = sizeof(value) \
	}

/* Reads the next entries, up to a chunk of them, into keys and values; *ret_count is 0 only at the
 * end, and the next call then begins anew. */
int walk_next(struct walk *walk, uint32_t *ret_count);
void walk_clear(struct walk *walk);

#define _cleanup_walk_ __attribute__((cleanup(walk_clear)))

/* How many entries a hash has. Counting is a walk. */
int walk_count(int map, size_t key_size, size_t value_size, size_t *ret);

/* Of one index of a per-CPU array whose values are count numbers of 64 bits: their sums over all
 * CPUs. */
int per_cpu_sum(int map, uint32_t index, size_t count, uint64_t *sums);
