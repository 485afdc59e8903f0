/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a connection is tried with: TCP/80, UDP/53, TCP/http, ICMP/8. */
#pragma once

#include "offline.h"

#include <jansson.h>

struct probe {
	const char *protocol_name; /* "TCP"; static */
	uint8_t protocol;
	char *port;      /* as it was given */
	bool named;      /* resolved on each destination */
	uint16_t number; /* otherwise; ICMP: type << 8 | code */
};

/* "TCP/80", protocol in any case. Ends the program as wrongly used where it is none. */
struct probe probe_parse(const struct settings *settings, const char *text);
void probe_clear(struct probe *probe);

struct probe_result {
	bool unresolved; /* the destination has no port of this name and protocol */
	struct flow_query query;
	struct evaluation evaluation;
};

/* False: the ends have no address of this family in common. */
bool probe_judge(const struct probe *probe, const struct offline *offline,
	const struct offline_end *from, const struct offline_end *to, bool ipv4,
	struct probe_result *ret);

/* {"from", "to", "family", "egress", "ingress", "verdict"} */
json_t *probe_result_to_json(const struct probe_result *result, const struct offline_end *from,
	const struct offline_end *to, bool ipv4);
