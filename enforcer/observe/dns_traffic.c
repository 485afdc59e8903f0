/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/dns_traffic.h"

#include "base/large_hash.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <utlist.h>

#define SECOND_LEVEL_MAX 3 /* characters of "co" or "com" in "example.co.uk" */

struct dialogue {
	struct flow_key key;
	struct flow_dns dns;
	double entropy; /* sum over queries, in bits for each byte */
	char domain[DNS_TEXT_MAX];
	uint32_t *names;              /* hashes of those asked, ascending */
	struct dialogue *prev, *next; /* from the longest silent to the latest */
	UT_hash_handle hh;
};

struct dns_traffic {
	struct dialogue *dialogues;
	struct dialogue *by_age;
	uint64_t evicted;
};

int dns_traffic_new(struct dns_traffic **ret)
{
	struct dns_traffic *traffic = calloc(1, sizeof(*traffic));

	if (!traffic)
		return -ENOMEM;
	*ret = traffic;
	return 0;
}

static void dialogue_remove(struct dns_traffic *traffic, struct dialogue *dialogue)
{
	HASH_DELETE(hh, traffic->dialogues, dialogue);
	DL_DELETE(traffic->by_age, dialogue);
	free(dialogue->names);
	free(dialogue);
}

void dns_traffic_free(struct dns_traffic *traffic)
{
	if (!traffic)
		return;
	while (traffic->by_age)
		dialogue_remove(traffic, traffic->by_age);
	free(traffic);
}

static struct dialogue *find(const struct dns_traffic *traffic, const struct flow_key *key)
{
	struct dialogue *dialogue;

	HASH_FIND(hh, traffic->dialogues, key, sizeof(*key), dialogue);
	return dialogue;
}

static struct dialogue *touch(struct dns_traffic *traffic, const struct flow_key *key)
{
	struct dialogue *dialogue = find(traffic, key);

	if (dialogue) {
		DL_DELETE(traffic->by_age, dialogue);
		DL_APPEND(traffic->by_age, dialogue);
		return dialogue;
	}
	if (HASH_COUNT(traffic->dialogues) >= DNS_TRAFFIC_MAX) {
		dialogue_remove(traffic, traffic->by_age);
		traffic->evicted++;
	}
	dialogue = calloc(1, sizeof(*dialogue));
	if (!dialogue)
		return NULL;
	dialogue->key = *key;
	HASH_ADD(hh, traffic->dialogues, key, sizeof(dialogue->key), dialogue);
	if (!HASH_ADDED(dialogue)) {
		free(dialogue);
		return NULL;
	}
	DL_APPEND(traffic->by_age, dialogue);
	return dialogue;
}

/* Shannon's, of the bytes within labels. */
static double entropy_of(const struct dns_name *name)
{
	unsigned int counts[256] = {0}, total = 0;
	double bits = 0;

	for (size_t at = 0; name->bytes[at]; at += 1U + name->bytes[at])
		for (size_t i = 1; i <= name->bytes[at]; i++, total++)
			counts[name->bytes[at + i]]++;
	for (size_t i = 0; i < 256; i++)
		if (counts[i])
			bits -= counts[i] * log2((double)counts[i] / total);
	return total ? bits / total : 0;
}

/* Sorted, and so each once. Without memory it is the count of what could be kept. */
static void note_name(struct dialogue *dialogue, uint32_t hash)
{
	uint32_t count = dialogue->dns.unique_names, *grown;
	size_t at = 0;

	while (at < count && dialogue->names[at] < hash)
		at++;
	if (count == FLOW_DNS_NAMES_MAX || (at < count && dialogue->names[at] == hash))
		return;
	if (!(count & (count - 1))) { /* room for the next power of two */
		grown = realloc(dialogue->names, (count ? 2 * count : 1) * sizeof(*grown));
		if (!grown)
			return;
		dialogue->names = grown;
	}
	memmove(&dialogue->names[at + 1], &dialogue->names[at], (count - at) * sizeof(hash));
	dialogue->names[at] = hash;
	dialogue->dns.unique_names++;
}

/* The part that somebody registered, as far as it can be told without a list: two labels, three
 * where the last are as short as those of "co.uk". */
static const char *registered_part(const char *text)
{
	const char *last = strrchr(text, '.');
	const char *second = last ? memrchr(text, '.', (size_t)(last - text)) : NULL;

	if (second && strlen(last + 1) == 2 && last - second - 1 <= SECOND_LEVEL_MAX) {
		last = second;
		second = memrchr(text, '.', (size_t)(last - text));
	}
	return second ? second + 1 : text;
}

/* Of a name with other characters than host names have, none. */
static void note_domain(struct dialogue *dialogue, const struct dns_name *name)
{
	char text[DNS_TEXT_MAX];

	dialogue->domain[0] = '\0';
	if (dns_name_to_text(name, text))
		strcpy(dialogue->domain, registered_part(text));
}

void dns_traffic_query(
	struct dns_traffic *traffic, const struct flow_key *flow, const struct dns_message *query)
{
	const struct dns_name *name = &query->question;
	struct dialogue *dialogue = touch(traffic, flow);

	if (!dialogue)
		return;
	dialogue->dns.queries++;
	dialogue->entropy += entropy_of(name);
	dialogue->dns.entropy = (uint16_t)lround(100 * dialogue->entropy / dialogue->dns.queries);
	note_name(dialogue, hash_bytes(name->bytes, name->length));
	if (name->length - 1 >= dialogue->dns.longest_name) {
		dialogue->dns.longest_name = (uint16_t)(name->length - 1);
		note_domain(dialogue, name);
	}
}

void dns_traffic_answer(
	struct dns_traffic *traffic, const struct flow_key *flow, const struct dns_message *answer)
{
	struct dialogue *dialogue = find(traffic, flow);

	if (!dialogue)
		return;
	dialogue->dns.answers++;
	dialogue->dns.failures += answer->code != 0;
}

bool dns_traffic_of(struct dns_traffic *traffic, const struct flow_key *flow,
	struct name_pool *pool, struct flow_observation *ret)
{
	const struct dialogue *dialogue = find(traffic, flow);

	if (!dialogue)
		return false;
	ret->dns = dialogue->dns;
	if (dialogue->domain[0])
		ret->domain = name_new(pool, json_string(dialogue->domain));
	return true;
}

void dns_traffic_end(struct dns_traffic *traffic, const struct flow_key *flow)
{
	struct dialogue *dialogue = find(traffic, flow);

	if (dialogue)
		dialogue_remove(traffic, dialogue);
}

json_t *dns_traffic_describe(const struct dns_traffic *traffic)
{
	return json_pack("{s:I, s:I}", "connections", (json_int_t)HASH_COUNT(traffic->dialogues),
		"evicted", (json_int_t)traffic->evicted);
}
