/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hands out the numbers by which kernel tables are addressed, smallest first, and takes them back.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct numbers {
	uint32_t next;  /* this and all above were never used */
	uint32_t limit; /* first that is not ours to give */
	uint32_t *free;
	size_t free_count;
	uint32_t *retired; /* no longer used, but packets under way may still hold them */
	size_t retired_count;
	size_t capacity; /* of either array: room for all numbers that are out, so that taking back
			    never fails */
};

#define NUMBERS_INIT(first, end)                \
	{                                       \
		.next = (first), .limit = (end) \
	}

/* -E2BIG: none is left. -ENOMEM. */
int numbers_take(struct numbers *numbers, uint32_t *ret);
/* For use again at once. */
void numbers_give(struct numbers *numbers, uint32_t number);
/* For use again after the next numbers_release(). */
void numbers_retire(struct numbers *numbers, uint32_t number);
void numbers_release(struct numbers *numbers);
/* Marks these as taken, on a set from which none was taken yet. Sorts used. -EINVAL: one is out of
 * bounds or there twice. */
int numbers_adopt(struct numbers *numbers, uint32_t *used, size_t count);
void numbers_clear(struct numbers *numbers);
