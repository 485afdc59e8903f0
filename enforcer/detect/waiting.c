// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/waiting.h"

#include "detect/contact.h"

void waiting_pop(struct waiting *waiting)
{
	record_clear(&waiting->records[waiting->head]);
	waiting->head = (waiting->head + 1) % WAITING_MAX;
	waiting->count--;
}

void waiting_add(struct waiting *waiting, const struct record *record)
{
	if (waiting->count == WAITING_MAX) {
		waiting_pop(waiting);
		waiting->evicted++;
	}
	waiting->records[(waiting->head + waiting->count++) % WAITING_MAX] = record_copy(record);
}

/* A gap stands for one that was forgotten. */
bool waiting_forget(struct waiting *waiting, uint64_t id)
{
	bool waited = false;

	for (size_t i = 0; i < waiting->count; i++) {
		struct record *record = &waiting->records[(waiting->head + i) % WAITING_MAX];

		if (record->event.id != id || record->event.type == FLOW_GAP)
			continue;
		record->event.type = FLOW_GAP;
		waited = true;
	}
	return waited;
}

const struct record *waiting_due(struct waiting *waiting, uint64_t now_ns)
{
	while (waiting->count) {
		const struct record *oldest = &waiting->records[waiting->head];

		if (oldest->event.type != FLOW_GAP)
			return oldest->event.time_ns + CONTACT_SETTLE_NS <= now_ns ? oldest : NULL;
		waiting_pop(waiting);
	}
	return NULL;
}

void waiting_clear(struct waiting *waiting)
{
	while (waiting->count)
		waiting_pop(waiting);
}
