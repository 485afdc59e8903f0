/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/batch.h"

#include "base/cleanup.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int allocate(size_t entries, unsigned char **keys, size_t key_size, unsigned char **values,
	size_t value_size)
{
	if (!*keys)
		*keys = calloc(entries, key_size);
	if (!*values)
		*values = calloc(entries, value_size);
	return *keys && *values ? 0 : -ENOMEM;
}

int batch_put(struct batch *batch, const void *key, const void *value, struct error *error)
{
	int r;

	if (allocate(BATCH_ENTRIES, &batch->keys, batch->key_size, &batch->values,
		    batch->value_size) < 0)
		return error_nomem(error);
	if (batch->count == BATCH_ENTRIES) {
		r = batch_flush(batch, error);
		if (r < 0)
			return r;
	}
	memcpy(batch->keys + batch->count * batch->key_size, key, batch->key_size);
	memcpy(batch->values + batch->count * batch->value_size, value, batch->value_size);
	batch->count++;
	return 0;
}

int batch_flush(struct batch *batch, struct error *error)
{
	uint32_t count = batch->count;
	int r;

	if (!count)
		return 0;
	batch->count = 0;
	r = bpf_map_update_batch(batch->map, batch->keys, batch->values, &count, NULL);
	if (r == -E2BIG || r == -ENOSPC)
		return error_set(error, -E2BIG, "table %s is full", batch->table);
	if (r < 0)
		return error_errno(error, r, "write to table %s", batch->table);
	return 0;
}

void batch_clear(struct batch *batch)
{
	free(batch->keys);
	free(batch->values);
	batch->keys = NULL;
	batch->values = NULL;
	batch->count = 0;
}

int walk_next(struct walk *walk, uint32_t *ret_count)
{
	unsigned char next[sizeof(walk->token)];
	uint32_t count = walk->chunk ? walk->chunk : BATCH_ENTRIES;
	int r;

	if (allocate(count, &walk->keys, walk->key_size, &walk->values, walk->value_size) < 0)
		return -ENOMEM;
	if (walk->finished) {
		walk->finished = false;
		walk->started = false;
		*ret_count = 0;
		return 0;
	}
	r = bpf_map_lookup_batch(walk->map, walk->started ? walk->token : NULL, next, walk->keys,
		walk->values, &count, NULL);
	if (r < 0 && r != -ENOENT)
		return r;
	memcpy(walk->token, next, sizeof(next));
	/* At the end the kernel says -ENOENT, with the last entries. */
	walk->started = r == 0;
	walk->finished = r == -ENOENT && count > 0;
	*ret_count = count;
	return 0;
}

void walk_clear(struct walk *walk)
{
	free(walk->keys);
	free(walk->values);
	walk->keys = NULL;
	walk->values = NULL;
}

int walk_count(int map, size_t key_size, size_t value_size, size_t *ret)
{
	_cleanup_walk_ struct walk walk = {
		.map = map,
		.key_size = key_size,
		.value_size = value_size,
	};
	size_t total = 0;
	uint32_t count;
	int r;

	do {
		r = walk_next(&walk, &count);
		if (r < 0)
			return r;
		total += count;
	} while (count);
	*ret = total;
	return 0;
}

int per_cpu_sum(int map, uint32_t index, size_t count, uint64_t *sums)
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_free_ uint64_t *values = NULL;
	int r;

	if (cpus < 0)
		return cpus;
	values = calloc((size_t)cpus * count, sizeof(*values));
	if (!values)
		return -ENOMEM;
	r = bpf_map_lookup_elem(map, &index, values);
	if (r < 0)
		return r;
	memset(sums, 0, count * sizeof(*sums));
	for (size_t i = 0; i < (size_t)cpus * count; i++)
		sums[i % count] += values[i];
	return 0;
}
