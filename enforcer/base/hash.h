/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uthash as the agent uses it: running out of memory fails one insertion, not the process. */
#pragma once

#ifdef UTHASH_H
#error "uthash takes its hash function when it is included first"
#endif

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* uthash's own function goes byte by byte; our keys are mostly whole words. */
#define HASH_FUNCTION(key, length, hash) ((hash) = hash_bytes(key, length))
#define HASH_NONFATAL_OOM                1
#include <uthash.h>

/* After HASH_ADD: false when there was no memory for it; the element is then in no table. */
#define HASH_ADDED(element) ((element)->hh.tbl != NULL)

#define HASH_SEED   0xa0761d6478bd642fULL
#define HASH_FACTOR 0x9e3779b97f4a7c15ULL /* 2^64 / golden ratio */

/* Where a chain begins, is on its way from memory when this returns. */
static inline void hash_fetch_bucket(const UT_hash_table *table, unsigned int hash)
{
	__builtin_prefetch(&table->buckets[hash & (table->num_buckets - 1)]);
}

/* When that is there: the first of its elements. */
static inline void hash_fetch_first(const UT_hash_table *table, unsigned int hash)
{
	__builtin_prefetch(table->buckets[hash & (table->num_buckets - 1)].hh_head);
}

static inline uint64_t hash_bytes_64(const void *key, size_t length)
{
	const char *bytes = key;
	uint64_t hash = length, word;
	unsigned __int128 product;

	for (; length; bytes += sizeof(word), length -= sizeof(word)) {
		word = 0;
		if (length < sizeof(word)) {
			memcpy(&word, bytes, length);
			length = sizeof(word);
		} else {
			memcpy(&word, bytes, sizeof(word));
		}
		/* The upper half of the product holds what the last bytes of word, those in which
		 * addresses differ, did to it. */
		product = (unsigned __int128)(hash ^ word ^ HASH_SEED) * HASH_FACTOR;
		hash = (uint64_t)product ^ (uint64_t)(product >> 64);
	}
	return hash;
}

static inline unsigned int hash_bytes(const void *key, size_t length)
{
	return (unsigned int)hash_bytes_64(key, length);
}
