/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The beginning of a packet's payload, of a connection that was allowed. The same from both data
 * planes. */
#pragma once

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flow_sample {
	uint64_t time_ns;      /* CLOCK_REALTIME */
	struct address source; /* of the connection's originator, as in its flow events */
	struct address destination;
	uint16_t source_port; /* host byte order */
	uint16_t destination_port;
	uint8_t protocol;
	bool answers; /* the responder sent it */
	const uint8_t *bytes;
	size_t size;         /* of bytes */
	size_t payload_size; /* in the packet: no less */
};
