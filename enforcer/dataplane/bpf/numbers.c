/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/numbers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int make_room(struct numbers *numbers, size_t needed)
{
	size_t capacity = numbers->capacity ? numbers->capacity : 64;
	uint32_t *larger;

	if (needed <= numbers->capacity)
		return 0;
	while (capacity < needed)
		capacity *= 2;
	larger = reallocarray(numbers->free, capacity, sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	numbers->free = larger;
	larger = reallocarray(numbers->retired, capacity, sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	numbers->retired = larger;
	numbers->capacity = capacity;
	return 0;
}

int numbers_take(struct numbers *numbers, uint32_t *ret)
{
	int r;

	if (numbers->free_count) {
		*ret = numbers->free[--numbers->free_count];
		return 0;
	}
	if (numbers->next >= numbers->limit)
		return -E2BIG;
	r = make_room(numbers, (size_t)numbers->next + 1);
	if (r < 0)
		return r;
	*ret = numbers->next++;
	return 0;
}

void numbers_give(struct numbers *numbers, uint32_t number)
{
	numbers->free[numbers->free_count++] = number;
}

void numbers_retire(struct numbers *numbers, uint32_t number)
{
	numbers->retired[numbers->retired_count++] = number;
}

void numbers_release(struct numbers *numbers)
{
	while (numbers->retired_count)
		numbers_give(numbers, numbers->retired[--numbers->retired_count]);
}

static int compare(const void *a, const void *b)
{
	uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;

	return first < second ? -1 : first > second;
}

int numbers_adopt(struct numbers *numbers, uint32_t *used, size_t count)
{
	int r;

	if (!count)
		return 0;
	qsort(used, count, sizeof(*used), compare);
	if (used[0] < numbers->next || used[count - 1] >= numbers->limit)
		return -EINVAL;
	for (size_t i = 1; i < count; i++)
		if (used[i] == used[i - 1])
			return -EINVAL;
	r = make_room(numbers, (size_t)used[count - 1] + 1);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		while (numbers->next < used[i])
			numbers_give(numbers, numbers->next++);
		numbers->next++;
	}
	return 0;
}

void numbers_clear(struct numbers *numbers)
{
	free(numbers->free);
	free(numbers->retired);
	numbers->free = NULL;
	numbers->retired = NULL;
	numbers->free_count = 0;
	numbers->retired_count = 0;
	numbers->capacity = 0;
}
