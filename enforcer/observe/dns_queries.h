/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queries that wait for their answers. An answer counts if it is of the very connection that the
 * query was sent by, and has its id and its question; the first that does is the answer, as it is
 * for the one who asked. Bounded: the oldest query makes room.
 */
#pragma once

#include "observe/dns_message.h"
#include "observe/flow_key.h"

#include <jansson.h>

#define DNS_QUERIES_MAX 4096
#define DNS_QUERY_NS    15000000000ULL /* who asked has given up by then */

struct dns_queries;

int dns_queries_new(struct dns_queries **ret);
void dns_queries_free(struct dns_queries *queries);
void dns_queries_ask(struct dns_queries *queries, const struct flow_key *flow,
	const struct dns_message *query, uint64_t time_ns);
/* true: it is the answer to a query, which is no longer waited for. */
bool dns_queries_answer(struct dns_queries *queries, const struct flow_key *flow,
	const struct dns_message *answer, uint64_t time_ns);
/* {"waiting", "evicted", "unasked"}: unasked answers are of no query that was seen. */
json_t *dns_queries_describe(const struct dns_queries *queries);
