/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What samples and flow events of one connection have in common. Hashed as bytes. */
#pragma once

#include "flow/event.h"
#include "flow/sample.h"

struct flow_key {
	struct address source;
	struct address destination;
	uint16_t source_port;
	uint16_t destination_port;
	uint8_t protocol;
	uint8_t pad[3];
};

static inline struct flow_key flow_key_of_sample(const struct flow_sample *sample)
{
	return (struct flow_key){
		.source = sample->source,
		.destination = sample->destination,
		.source_port = sample->source_port,
		.destination_port = sample->destination_port,
		.protocol = sample->protocol,
	};
}

static inline struct flow_key flow_key_of_event(const struct flow_event *event)
{
	return (struct flow_key){
		.source = event->source,
		.destination = event->destination,
		.source_port = event->source_port,
		.destination_port = event->destination_port,
		.protocol = event->protocol,
	};
}
