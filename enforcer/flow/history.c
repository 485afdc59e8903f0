/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/history.h"

#include <errno.h>
#include <stdlib.h>

struct history {
	size_t records_max;
	size_t bytes_max;
	size_t bytes; /* of names; each counts once */
	size_t first;
	size_t count;
	struct record ring[]; /* records_max of them */
};

int history_new(size_t records_max, size_t bytes_max, struct history **ret)
{
	struct history *history;

	if (!records_max || records_max > (SIZE_MAX - sizeof(*history)) / sizeof(struct record))
		return -EINVAL;
	history = calloc(1, sizeof(*history) + records_max * sizeof(struct record));
	if (!history)
		return -ENOMEM;
	history->records_max = records_max;
	history->bytes_max = bytes_max;
	*ret = history;
	return 0;
}

static void hold(struct history *history, struct name *name)
{
	if (name && !name->history_references++)
		history->bytes += name->size_bytes;
}

static void let_go(struct history *history, struct name *name)
{
	if (name && !--name->history_references)
		history->bytes -= name->size_bytes;
}

static void for_each_name(struct history *history, const struct record *record,
	void (*visit)(struct history *history, struct name *name))
{
	visit(history, record->source);
	visit(history, record->destination);
	visit(history, record->rule);
	visit(history, record->interface);
	visit(history, record->observed.application);
	visit(history, record->observed.domain);
}

/* The place in the ring of what is index records behind the oldest. */
static size_t place_of(const struct history *history, size_t index)
{
	size_t place = history->first + index;

	return place < history->records_max ? place : place - history->records_max;
}

static void remove_oldest(struct history *history)
{
	struct record *oldest = &history->ring[history->first];

	for_each_name(history, oldest, let_go);
	record_clear(oldest);
	history->first = place_of(history, 1);
	history->count--;
}

void history_free(struct history *history)
{
	if (!history)
		return;
	while (history->count)
		remove_oldest(history);
	free(history);
}

void history_take(struct history *history, const struct record *record)
{
	struct record *slot;

	if (history->count == history->records_max)
		remove_oldest(history);
	slot = &history->ring[place_of(history, history->count)];
	*slot = *record;
	history->count++;
	for_each_name(history, slot, hold);
	while (history_bytes(history) > history->bytes_max)
		remove_oldest(history);
}

size_t history_count(const struct history *history)
{
	return history->count;
}

size_t history_bytes(const struct history *history)
{
	return history->bytes + history->count * sizeof(struct record);
}

const struct record *history_at(const struct history *history, size_t index)
{
	return &history->ring[place_of(history, index)];
}
