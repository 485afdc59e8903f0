/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the packets of a connection said besides their headers, as far as they were looked into. */
#pragma once

#include "flow/name.h"

#include <stdint.h>

/* Of a connection to a DNS server, since it began, as packets and bytes are. */
struct flow_dns {
	uint32_t queries;
	uint32_t answers;      /* of these, with whatever result */
	uint32_t failures;     /* answers that give none: no such name, refused, … */
	uint32_t unique_names; /* at most FLOW_DNS_NAMES_MAX are told apart */
	uint16_t longest_name; /* bytes, as in the message without the root */
	uint16_t entropy;      /* of the names' bytes, mean, hundredths of a bit for each byte */
};

#define FLOW_DNS_NAMES_MAX 256

/* What traffic itself says may come in as many forms as somebody likes, and records and the map
 * keep each for as long as they have it: with so many names in a pool, no more of that kind are
 * made. */
#define FLOW_NAMES_CROWDED 8192

struct flow_observation {
	struct name *application; /* {"application": "tls"[, "server_name"]}; NULL: not known */
	struct name *domain;      /* of the longest name asked: a JSON string */
	struct flow_dns dns;      /* queries 0: none seen */
};
