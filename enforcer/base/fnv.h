/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FNV-1a, 64 bits (draft-eastlake-fnv, 3): known to everybody, and the same on every machine and in
 * each run. No defence against those who choose what is hashed. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define FNV_BEGIN 0xcbf29ce484222325ULL

/* hash: FNV_BEGIN, or of what comes before. */
static inline uint64_t fnv_add(uint64_t hash, const void *bytes, size_t size)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ byte[i]) * 0x100000001b3ULL;
	return hash;
}
