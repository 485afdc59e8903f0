// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/store_notes.h"

#include <stdlib.h>
#include <string.h>

#define SIZE_FIRST 64

static int compare(const void *a, const void *b)
{
	const struct store_note *first = a, *second = b;

	if (first->id != second->id)
		return first->id < second->id ? -1 : 1;
	return first->place < second->place ? -1 : 1;
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
	struct store_note *items = notes->items;
	size_t kept = 0;

	if (notes->count)
		qsort(items, notes->count, sizeof(*items), compare);
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
