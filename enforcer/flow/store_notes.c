// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/store_notes.h"

#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>

#define SIZE_FIRST 64

static bool comes_before(const struct store_note *a, const struct store_note *b)
{
	return a->id != b->id ? a->id < b->id : a->place < b->place;
}

static int compare(const void *a, const void *b)
{
	return comes_before(a, b) ? -1 : 1;
}

static int compare_at(const void *a, const void *b, void *userdata)
{
	const struct store_note *items = userdata;

	return compare(&items[*(const uint32_t *)a], &items[*(const uint32_t *)b]);
}

/* Where those are that are ends, or those that are none, in order. Returns how many. */
static size_t pick(const struct store_notes *notes, bool ended, uint32_t ret[static 1])
{
	const struct store_note *items = notes->items;
	bool sorted = true;
	size_t count = 0;

	for (size_t i = 0; i < notes->count; i++) {
		if (items[i].ended != ended)
			continue;
		sorted &= !count || comes_before(&items[ret[count - 1]], &items[i]);
		ret[count++] = (uint32_t)i;
	}
	if (!sorted)
		qsort_r(ret, count, sizeof(*ret), compare_at, notes->items);
	return count;
}

/* Ends and others, each in order in its half of from, as one. */
static void merge(
	const struct store_notes *notes, const uint32_t *from, size_t others, uint32_t *ret)
{
	const struct store_note *items = notes->items;
	size_t other = 0, end = others;

	for (size_t i = 0; i < notes->count; i++) {
		bool is_end = other == others ||
			      (end < notes->count &&
				      comes_before(&items[from[end]], &items[from[other]]));

		ret[i] = from[is_end ? end++ : other++];
	}
}

/* Puts at each place what is at order[place], along each circle that these make. */
static void arrange(struct store_note *items, uint32_t *order, size_t count)
{
	for (uint32_t first = 0; first < count; first++) {
		struct store_note lifted = items[first];
		uint32_t place = first;

		while (order[place] != first) {
			uint32_t next = order[place];

			items[place] = items[next];
			order[place] = place;
			place = next;
		}
		items[place] = lifted;
		order[place] = place;
	}
}

/*
 * By connection. Ids grow as connections begin, and they end nearly in the order in which they
 * began: so beginnings by themselves and ends by themselves mostly are in order as they come, and
 * have only to be merged.
 */
static void sort(struct store_notes *notes)
{
	_cleanup_free_ uint32_t *order = reallocarray(NULL, notes->count, 2 * sizeof(*order));
	uint32_t *merged;
	size_t others;

	if (!order) {
		qsort(notes->items, notes->count, sizeof(*notes->items), compare);
		return;
	}
	merged = order + notes->count;
	others = pick(notes, false, order);
	pick(notes, true, order + others);
	merge(notes, order, others, merged);
	arrange(notes->items, merged, notes->count);
}

/* What two notes of one connection say together. */
static void join(struct store_note *note, const struct store_note *later)
{
	bool began = note->began;

	*note = *later;
	note->began = began;
}

void store_notes_settle(struct store_notes *notes)
{
	struct store_note *items;
	size_t kept = 0;

	if (!notes->count)
		return;
	sort(notes);
	items = notes->items;
	for (size_t i = 0; i < notes->count; i++) {
		if (kept && items[kept - 1].id == items[i].id)
			join(&items[kept - 1], &items[i]);
		else
			items[kept++] = items[i];
		/* What comes behind its end is not of what began here. */
		if (items[kept - 1].began && items[kept - 1].ended)
			kept--;
	}
	for (size_t i = 0; i < kept; i++)
		items[i].place = (uint32_t)i;
	notes->count = kept;
}

static bool grow(struct store_notes *notes, size_t size_max)
{
	size_t size = notes->size ? 2 * notes->size : SIZE_FIRST;
	struct store_note *items;

	if (size > size_max)
		size = size_max;
	items = realloc(notes->items, size * sizeof(*items));
	if (!items)
		return false;
	notes->items = items;
	notes->size = size;
	return true;
}

/* Twice as many as there may be connections, so that they are not settled for each one. */
static bool make_room(struct store_notes *notes, size_t connections_max)
{
	if (notes->count < notes->size)
		return true;
	if (notes->size < 2 * connections_max)
		return grow(notes, 2 * connections_max);
	store_notes_settle(notes);
	if (notes->count > connections_max)
		notes->count = connections_max;
	return true;
}

void store_notes_add(
	struct store_notes *notes, const struct flow_event *event, size_t connections_max)
{
	struct store_note *note;

	if (!make_room(notes, connections_max))
		return;
	note = &notes->items[notes->count];
	*note = (struct store_note){
		.id = event->id,
		.place = (uint32_t)notes->count++,
		.began = event->type == FLOW_NEW,
		.ended = event->type == FLOW_END,
	};
	memcpy(note->packets, event->packets, sizeof(note->packets));
	memcpy(note->bytes, event->bytes, sizeof(note->bytes));
}

void store_notes_clear(struct store_notes *notes)
{
	free(notes->items);
	*notes = (struct store_notes){0};
}
