// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/meter.h"

#include <string.h>

struct metered {
	struct ledger_entry entry;
	uint64_t packets[2];
	uint64_t bytes[2];
	uint64_t time_ns;
};

struct meter meter_init(size_t connections_max)
{
	return (struct meter){
		.connections = {.size = connections_max, .entry_bytes = sizeof(struct metered)}};
}

static uint64_t added(uint64_t now, uint64_t before)
{
	return now >= before ? now - before : now;
}

bool meter_read(struct meter *meter, const struct record *record, struct meter_reading *ret)
{
	const struct flow_event *event = &record->event;
	struct ledger_key key = {{event->id}};
	struct metered *metered;

	if (event->type != FLOW_UPDATE && event->type != FLOW_END)
		return false;
	metered = ledger_find(&meter->connections, &key);
	ret->is_first = !metered;
	ret->since_ns = metered ? metered->time_ns : event->start_ns;
	if (ret->since_ns > event->time_ns)
		ret->since_ns = event->time_ns;
	for (size_t side = 0; side < 2; side++) {
		ret->packets[side] =
			added(event->packets[side], metered ? metered->packets[side] : 0);
		ret->bytes[side] = added(event->bytes[side], metered ? metered->bytes[side] : 0);
		ret->total_packets[side] = event->packets[side];
	}
	if (event->type == FLOW_END) {
		if (metered)
			ledger_remove(&meter->connections, metered);
	} else {
		metered = ledger_touch(&meter->connections, &key);
		if (metered) {
			memcpy(metered->packets, event->packets, sizeof(metered->packets));
			memcpy(metered->bytes, event->bytes, sizeof(metered->bytes));
			metered->time_ns = event->time_ns;
		}
	}
	return ret->packets[0] || ret->packets[1];
}

void meter_clear(struct meter *meter)
{
	ledger_clear(&meter->connections);
}
