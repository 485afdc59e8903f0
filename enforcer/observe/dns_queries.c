/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/dns_queries.h"

#include "base/large_hash.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

struct query_key {
	struct flow_key flow;
	uint16_t id;
	uint16_t type;
};

struct query {
	struct query_key key;
	uint64_t time_ns;
	struct query *prev, *next; /* from the oldest to the latest */
	UT_hash_handle hh;
	uint8_t length;
	uint8_t question[]; /* as in struct dns_name */
};

struct dns_queries {
	struct query *queries;
	struct query *by_age;
	uint64_t evicted;
	uint64_t unasked;
};

_Static_assert(sizeof(struct query_key) == sizeof(struct flow_key) + 4, "hashed as bytes");

int dns_queries_new(struct dns_queries **ret)
{
	struct dns_queries *queries = calloc(1, sizeof(*queries));

	if (!queries)
		return -ENOMEM;
	*ret = queries;
	return 0;
}

static void query_remove(struct dns_queries *queries, struct query *query)
{
	HASH_DELETE(hh, queries->queries, query);
	DL_DELETE(queries->by_age, query);
	free(query);
}

void dns_queries_free(struct dns_queries *queries)
{
	if (!queries)
		return;
	while (queries->by_age)
		query_remove(queries, queries->by_age);
	free(queries);
}

static bool is_over(const struct query *query, uint64_t time_ns)
{
	return query->time_ns + DNS_QUERY_NS < time_ns;
}

static void make_room(struct dns_queries *queries, uint64_t time_ns)
{
	while (queries->by_age && is_over(queries->by_age, time_ns))
		query_remove(queries, queries->by_age);
	if (HASH_COUNT(queries->queries) < DNS_QUERIES_MAX)
		return;
	query_remove(queries, queries->by_age);
	queries->evicted++;
}

static struct query_key key_of(const struct flow_key *flow, const struct dns_message *message)
{
	return (struct query_key){.flow = *flow, .id = message->id, .type = message->type};
}

static struct query *find(const struct dns_queries *queries, const struct query_key *key)
{
	struct query *query;

	HASH_FIND(hh, queries->queries, key, sizeof(*key), query);
	return query;
}

void dns_queries_ask(struct dns_queries *queries, const struct flow_key *flow,
	const struct dns_message *message, uint64_t time_ns)
{
	const struct query_key key = key_of(flow, message);
	const struct dns_name *question = &message->question;
	struct query *query = find(queries, &key);

	/* The same again, or another under an id that is used again: the answer is to the latest.
	 */
	if (query)
		query_remove(queries, query);
	make_room(queries, time_ns);
	query = calloc(1, sizeof(*query) + question->length);
	if (!query) {
		queries->evicted++;
		return;
	}
	query->key = key;
	query->time_ns = time_ns;
	query->length = question->length;
	memcpy(query->question, question->bytes, question->length);
	HASH_ADD(hh, queries->queries, key, sizeof(query->key), query);
	if (!HASH_ADDED(query)) {
		free(query);
		queries->evicted++;
		return;
	}
	DL_APPEND(queries->by_age, query);
}

bool dns_queries_answer(struct dns_queries *queries, const struct flow_key *flow,
	const struct dns_message *message, uint64_t time_ns)
{
	const struct query_key key = key_of(flow, message);
	struct query *query = find(queries, &key);

	if (!query || is_over(query, time_ns) || query->length != message->question.length ||
		memcmp(query->question, message->question.bytes, query->length) != 0) {
		queries->unasked++;
		return false;
	}
	query_remove(queries, query);
	return true;
}

json_t *dns_queries_describe(const struct dns_queries *queries)
{
	return json_pack("{s:I, s:I, s:I}", "waiting", (json_int_t)HASH_COUNT(queries->queries),
		"evicted", (json_int_t)queries->evicted, "unasked", (json_int_t)queries->unasked);
}
