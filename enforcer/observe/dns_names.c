/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/dns_names.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/large_hash.h"
#include "flow/observation.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* Data planes do not stamp packets and connections by the same clock everywhere. */
#define SLACK_NS NS_PER_SECOND

_Static_assert(DNS_NAMES_ADDRESSES < UINT16_MAX, "a hint counts all entries if need be");

struct told {
	char *text; /* NULL: none */
	uint64_t since_ns;
	uint64_t until_ns;
};

struct entry_key {
	const struct name *workload; /* the owner's; never looked into */
	struct address address;
};

struct entry {
	UT_hash_handle hh; /* beside the key and the answer: what a record needs */
	struct entry_key key;
	struct name *end;                        /* that the last answer was made of */
	struct name *named;                      /* that answer */
	unsigned int named_by;                   /* bits of told[] that are in it */
	struct told told[DNS_NAMES_PER_ADDRESS]; /* the latest first */
	struct owner *owner;
	size_t bytes;
	struct entry *prev, *next;         /* of all, from the longest not told to the latest */
	struct entry *own_prev, *own_next; /* of the workload, likewise */
};

struct owner {
	struct name *name;
	struct entry *entries;
	size_t count;
	UT_hash_handle hh;
};

/* Of most addresses a workload was told nothing, and with each record one is asked for. A bit in
 * few lines of memory says so for all whose hash has none like it, and spares looking. */
#define HINTS     131072
#define HINT_BITS 64

struct hints {
	uint64_t any[HINTS / HINT_BITS];
	uint16_t count[HINTS];
};

static void hint(struct hints *hints, unsigned int hash)
{
	hints->count[hash % HINTS]++;
	hints->any[hash % HINTS / HINT_BITS] |= 1ULL << hash % HINT_BITS;
}

static void hint_no_more(struct hints *hints, unsigned int hash)
{
	if (!--hints->count[hash % HINTS])
		hints->any[hash % HINTS / HINT_BITS] &= ~(1ULL << hash % HINT_BITS);
}

static bool is_hinted(const struct hints *hints, unsigned int hash)
{
	return hints->any[hash % HINTS / HINT_BITS] & 1ULL << hash % HINT_BITS;
}

struct dns_names {
	struct entry *entries;
	struct hints hints;
	struct entry *by_age;
	struct owner
		*owners; /* by the name's pointer, which the reference keeps from being reused */
	size_t bytes;
	uint64_t evicted; /* addresses that were forgotten for want of room */
	uint64_t crowded; /* ends that stayed without their names */
	uint64_t failed;  /* names for which there was no memory */
};

int dns_names_new(struct dns_names **ret)
{
	struct dns_names *names = calloc(1, sizeof(*names));

	if (!names)
		return -ENOMEM;
	*ret = names;
	return 0;
}

static void forget_answer(struct dns_names *names, struct entry *entry)
{
	size_t bytes = entry->named ? entry->named->size_bytes : 0;

	names->bytes -= bytes;
	entry->bytes -= bytes;
	name_release(entry->end);
	name_release(entry->named);
	entry->end = entry->named = NULL;
}

/* As far as there is room: else it is made anew the next time. */
static void keep_answer(struct dns_names *names, struct entry *entry, struct name *end,
	struct name *named, unsigned int by)
{
	if (names->bytes + named->size_bytes > DNS_NAMES_BYTES)
		return;
	entry->end = name_reference(end);
	entry->named = name_reference(named);
	entry->named_by = by;
	entry->bytes += named->size_bytes;
	names->bytes += named->size_bytes;
}

static void entry_free(struct entry *entry)
{
	for (size_t i = 0; i < DNS_NAMES_PER_ADDRESS; i++)
		free(entry->told[i].text);
	free(entry);
}

static void owner_drop_if_empty(struct dns_names *names, struct owner *owner)
{
	if (owner->count)
		return;
	HASH_DELETE(hh, names->owners, owner);
	name_release(owner->name);
	free(owner);
}

static void entry_remove(struct dns_names *names, struct entry *entry)
{
	struct owner *owner = entry->owner;

	hint_no_more(&names->hints, entry->hh.hashv);
	HASH_DELETE(hh, names->entries, entry);
	DL_DELETE(names->by_age, entry);
	DL_DELETE2(owner->entries, entry, own_prev, own_next);
	owner->count--;
	forget_answer(names, entry);
	names->bytes -= entry->bytes;
	entry_free(entry);
	owner_drop_if_empty(names, owner);
}

void dns_names_free(struct dns_names *names)
{
	if (!names)
		return;
	while (names->by_age)
		entry_remove(names, names->by_age);
	free(names);
}

static struct owner *owner_of(struct dns_names *names, struct name *workload)
{
	struct owner *owner;

	HASH_FIND_PTR(names->owners, &workload, owner);
	if (owner)
		return owner;
	owner = calloc(1, sizeof(*owner));
	if (!owner)
		return NULL;
	owner->name = workload;
	HASH_ADD_PTR(names->owners, name, owner);
	if (!HASH_ADDED(owner)) {
		free(owner);
		return NULL;
	}
	name_reference(workload);
	return owner;
}

static struct entry *find(const struct dns_names *names, const struct entry_key *key)
{
	unsigned int hash = hash_bytes(key, sizeof(*key));
	struct entry *entry;

	if (!is_hinted(&names->hints, hash))
		return NULL;
	HASH_FIND_BYHASHVALUE(hh, names->entries, key, sizeof(*key), hash, entry);
	return entry;
}

static struct entry *entry_new(struct dns_names *names, const struct entry_key *key)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->key = *key;
	entry->bytes = sizeof(*entry);
	HASH_ADD(hh, names->entries, key, sizeof(entry->key), entry);
	if (!HASH_ADDED(entry)) {
		free(entry);
		return NULL;
	}
	hint(&names->hints, entry->hh.hashv);
	return entry;
}

/* The entry is the latest now. NULL: out of memory. */
static struct entry *touch(
	struct dns_names *names, struct name *workload, const struct address *address)
{
	const struct entry_key key = {.workload = workload, .address = *address};
	struct entry *entry = find(names, &key);
	struct owner *owner = entry ? entry->owner : owner_of(names, workload);

	if (!owner)
		return NULL;
	if (entry) {
		DL_DELETE(names->by_age, entry);
		DL_DELETE2(owner->entries, entry, own_prev, own_next);
	} else {
		entry = entry_new(names, &key);
		if (!entry) {
			owner_drop_if_empty(names, owner);
			return NULL;
		}
		entry->owner = owner;
		owner->count++;
		names->bytes += entry->bytes;
	}
	DL_APPEND(names->by_age, entry);
	DL_APPEND2(owner->entries, entry, own_prev, own_next);
	return entry;
}

static void evict(struct dns_names *names, struct entry *entry)
{
	entry_remove(names, entry);
	names->evicted++;
}

/* The one that was just told of is the last of both lists, and stays. */
static void make_room(struct dns_names *names, struct entry *latest)
{
	while (latest->owner->count > DNS_NAMES_PER_WORKLOAD)
		evict(names, latest->owner->entries);
	while (names->by_age != latest && (HASH_COUNT(names->entries) > DNS_NAMES_ADDRESSES ||
						  names->bytes > DNS_NAMES_BYTES))
		evict(names, names->by_age);
}

static uint64_t lifetime_ns(uint32_t ttl_seconds)
{
	if (ttl_seconds < DNS_TTL_LEAST_SECONDS)
		ttl_seconds = DNS_TTL_LEAST_SECONDS;
	if (ttl_seconds > DNS_TTL_MOST_SECONDS)
		ttl_seconds = DNS_TTL_MOST_SECONDS;
	return ttl_seconds * NS_PER_SECOND;
}

/* Where the text is, or may be put: the last place then, of which the name is forgotten. */
static size_t place_of(const struct entry *entry, const char *text)
{
	size_t i = 0;

	while (i + 1 < DNS_NAMES_PER_ADDRESS && entry->told[i].text &&
		strcmp(entry->told[i].text, text) != 0)
		i++;
	return i;
}

static bool told_again(const struct told *told, const char *text, uint64_t time_ns)
{
	return told->text && !strcmp(told->text, text) && time_ns <= told->until_ns;
}

static int entry_tell(struct dns_names *names, struct entry *entry, const char *text,
	uint64_t time_ns, uint32_t ttl_seconds)
{
	size_t place = place_of(entry, text);
	struct told told = {.since_ns = time_ns, .until_ns = time_ns + lifetime_ns(ttl_seconds)};

	if (told_again(&entry->told[place], text, time_ns))
		told.since_ns = entry->told[place].since_ns;
	told.text = strdup(text);
	if (!told.text)
		return -ENOMEM;
	if (entry->told[place].text) {
		names->bytes -= strlen(entry->told[place].text) + 1;
		entry->bytes -= strlen(entry->told[place].text) + 1;
		free(entry->told[place].text);
	}
	memmove(&entry->told[1], &entry->told[0], place * sizeof(entry->told[0]));
	entry->told[0] = told;
	names->bytes += strlen(text) + 1;
	entry->bytes += strlen(text) + 1;
	forget_answer(names, entry);
	return 0;
}

void dns_names_learn(struct dns_names *names, struct name *workload, const struct address *address,
	const char *text, uint64_t time_ns, uint32_t ttl_seconds)
{
	struct entry *entry = touch(names, workload, address);

	if (!entry) {
		names->failed++;
		return;
	}
	make_room(names, entry);
	if (entry_tell(names, entry, text, time_ns, ttl_seconds) < 0)
		names->failed++;
	if (!entry->told[0].text)
		entry_remove(names, entry);
}

static unsigned int valid_at(const struct entry *entry, uint64_t time_ns)
{
	unsigned int valid = 0;

	for (size_t i = 0; i < DNS_NAMES_PER_ADDRESS; i++)
		if (entry->told[i].text && time_ns + SLACK_NS >= entry->told[i].since_ns &&
			time_ns <= entry->told[i].until_ns)
			valid |= 1U << i;
	return valid;
}

static json_t *names_to_json(const struct entry *entry, unsigned int valid)
{
	json_t *array = json_array();

	for (size_t i = 0; i < DNS_NAMES_PER_ADDRESS; i++)
		if (valid & 1U << i)
			json_array_append_new(array, json_string(entry->told[i].text));
	return array;
}

static struct name *make_answer(struct name *end, const struct entry *entry, unsigned int valid)
{
	json_t *json = json_copy(end->json);

	if (!json || json_object_set_new(json, "names", names_to_json(entry, valid)) < 0) {
		json_decref(json);
		return NULL;
	}
	return name_new(end->pool, json);
}

struct name *dns_names_apply(struct dns_names *names, const struct name *workload,
	const struct address *address, struct name *end, uint64_t start_ns)
{
	const struct entry_key key = {.workload = workload, .address = *address};
	struct entry *entry = find(names, &key);
	unsigned int valid = entry ? valid_at(entry, start_ns) : 0;
	struct name *named;

	if (!valid)
		return NULL;
	if (entry->named && entry->end == end && entry->named_by == valid)
		return name_reference(entry->named);
	forget_answer(names, entry);
	if (end->pool && name_pool_count(end->pool) >= FLOW_NAMES_CROWDED) {
		names->crowded++;
		return NULL;
	}
	named = make_answer(end, entry, valid);
	if (named)
		keep_answer(names, entry, end, named, valid);
	return named;
}

json_t *dns_names_describe(const struct dns_names *names)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "workloads",
		(json_int_t)HASH_COUNT(names->owners), "addresses",
		(json_int_t)HASH_COUNT(names->entries), "bytes", (json_int_t)names->bytes,
		"evicted", (json_int_t)names->evicted, "crowded", (json_int_t)names->crowded,
		"failed", (json_int_t)names->failed);
}
