/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was asked by each connection to a DNS server, in figures: for whoever looks for data that
 * leaves in names (struct flow_dns). Bounded: the connection that asked nothing for longest makes
 * room.
 */
#pragma once

#include "flow/observation.h"
#include "observe/dns_message.h"
#include "observe/flow_key.h"

#include <jansson.h>

#define DNS_TRAFFIC_MAX 4096

struct dns_traffic;

int dns_traffic_new(struct dns_traffic **ret);
void dns_traffic_free(struct dns_traffic *traffic);
void dns_traffic_query(
	struct dns_traffic *traffic, const struct flow_key *flow, const struct dns_message *query);
void dns_traffic_answer(
	struct dns_traffic *traffic, const struct flow_key *flow, const struct dns_message *answer);
/* Fills dns and domain, with a new reference of this pool; false: nothing is known of it. */
bool dns_traffic_of(struct dns_traffic *traffic, const struct flow_key *flow,
	struct name_pool *pool, struct flow_observation *ret);
/* The connection is over. */
void dns_traffic_end(struct dns_traffic *traffic, const struct flow_key *flow);
/* {"connections", "evicted"} */
json_t *dns_traffic_describe(const struct dns_traffic *traffic);
