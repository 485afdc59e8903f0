// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/baseline.h"

#include "base/cleanup.h"
#include "detect/baseline_private.h"
#include "flow/protocol.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#define DAY_NS       (86400ULL * 1000000000)
#define NETWORKS_MAX 32 /* of one role and service, until it is the world */
#define FLAG_RST     0x04

int baseline_new(const struct baseline_options *options, struct baseline **ret)
{
	struct baseline *baseline = calloc(1, sizeof(*baseline));

	if (!baseline)
		return -ENOMEM;
	baseline->options = *options;
	baseline->sight = calloc(1, sizeof(*baseline->sight));
	if (!baseline->sight) {
		free(baseline);
		return -ENOMEM;
	}
	*ret = baseline;
	return 0;
}

static void remove_edge(struct baseline *baseline, struct edge *edge)
{
	HASH_DELETE(hh, edge->role->edges, edge);
	DL_DELETE(baseline->edges_by_age, edge);
	baseline->edges_count--;
	free(edge);
}

static bool is_network(const struct edge *edge)
{
	size_t length = (size_t)(strrchr(edge->key, ' ') - edge->key);
	char peer[PREFIX_TEXT_MAX];
	struct prefix prefix;

	if (length >= sizeof(peer))
		return false;
	memcpy(peer, edge->key, length);
	peer[length] = '\0';
	return prefix_parse(peer, &prefix) == 0;
}

/* The edge to the world that counts a network beside it; NULL: it is no network, or has none. */
static struct edge *world_of(const struct edge *edge)
{
	char key[sizeof("world") + SERVICE_MAX];
	struct edge *world;

	if (!is_network(edge))
		return NULL;
	snprintf(key, sizeof(key), "world%s", strrchr(edge->key, ' '));
	HASH_FIND_STR(edge->role->edges, key, world);
	return world;
}

/* For lack of room: a role that is used to the world stays so. */
static void evict_edge(struct baseline *baseline, struct edge *edge)
{
	struct edge *world = world_of(edge);

	if (world && world->networks && world->networks < NETWORKS_MAX)
		world->networks--;
	remove_edge(baseline, edge);
	baseline->evicted_edges++;
}

/* It should never have been learnt, and counts for nothing. */
static void unlearn_edge(struct baseline *baseline, struct edge *edge)
{
	struct edge *world = world_of(edge);

	if (world && world->networks)
		world->networks--;
	remove_edge(baseline, edge);
}

static void remove_role(struct baseline *baseline, struct role *role)
{
	while (role->edges)
		remove_edge(baseline, role->edges);
	HASH_DELETE(hh, baseline->roles, role);
	DL_DELETE(baseline->roles_by_age, role);
	free(role);
}

static void remove_held(struct baseline *baseline, struct held *held)
{
	HASH_DELETE(hh, baseline->held, held);
	DL_DELETE(baseline->held_by_age, held);
	free(held);
}

void baseline_free(struct baseline *baseline)
{
	if (!baseline)
		return;
	baseline_forget(baseline, NULL);
	free(baseline->sight);
	free(baseline);
}

/* --- the tables ---------------------------------------------------------------------------------
 */

static struct role *find_role(const struct baseline *baseline, const char *text)
{
	struct role *role;

	HASH_FIND_STR(baseline->roles, text, role);
	return role;
}

static struct edge *find_edge(const struct role *role, const char *key)
{
	struct edge *edge;

	HASH_FIND_STR(role->edges, key, edge);
	return edge;
}

struct role *baseline_role(struct baseline *baseline, const char *text, uint64_t now_ns)
{
	struct role *role = find_role(baseline, text);

	if (role)
		return role;
	while (HASH_COUNT(baseline->roles) >= baseline->options.roles_max) {
		remove_role(baseline, baseline->roles_by_age);
		baseline->evicted_roles++;
	}
	role = calloc(1, sizeof(*role) + strlen(text) + 1);
	if (!role) {
		baseline->turned_away++;
		return NULL;
	}
	strcpy(role->text, text);
	role->first_ns = role->last_ns = now_ns;
	HASH_ADD_STR(baseline->roles, text, role);
	if (!HASH_ADDED(role)) {
		baseline->turned_away++;
		free(role);
		return NULL;
	}
	DL_APPEND(baseline->roles_by_age, role);
	return role;
}

struct edge *baseline_edge(
	struct baseline *baseline, struct role *role, const char *key, uint64_t now_ns)
{
	struct edge *edge = find_edge(role, key);

	if (edge)
		return edge;
	while (baseline->edges_count >= baseline->options.edges_max) {
		evict_edge(baseline, baseline->edges_by_age);
	}
	edge = calloc(1, sizeof(*edge) + strlen(key) + 1);
	if (!edge) {
		baseline->turned_away++;
		return NULL;
	}
	strcpy(edge->key, key);
	edge->role = role;
	edge->first_ns = edge->last_ns = now_ns;
	HASH_ADD_STR(role->edges, key, edge);
	if (!HASH_ADDED(edge)) {
		baseline->turned_away++;
		free(edge);
		return NULL;
	}
	DL_APPEND(baseline->edges_by_age, edge);
	baseline->edges_count++;
	return edge;
}

void baseline_add_held(
	struct baseline *baseline, const char *key, size_t role_length, const char *alert_id)
{
	struct held *held;

	HASH_FIND_STR(baseline->held, key, held);
	if (held)
		return;
	while (HASH_COUNT(baseline->held) >= baseline->options.held_max) {
		remove_held(baseline, baseline->held_by_age);
		baseline->evicted_held++;
	}
	held = calloc(1, sizeof(*held) + strlen(key) + 1);
	if (!held) {
		baseline->turned_away++;
		return;
	}
	strcpy(held->key, key);
	held->role_length = role_length;
	snprintf(held->alert, sizeof(held->alert), "%s", alert_id);
	HASH_ADD_STR(baseline->held, key, held);
	if (!HASH_ADDED(held)) {
		baseline->turned_away++;
		free(held);
		return;
	}
	DL_APPEND(baseline->held_by_age, held);
}

/* --- what a record is about ---------------------------------------------------------------------
 */

/* As snprintf() with "%s %s", which costs several times as much for each record. */
static void join(char *text, const char *a, const char *b)
{
	char *end = stpcpy(text, a);

	*end++ = ' ';
	strcpy(end, b);
}

static void look_at(
	const struct baseline *baseline, const struct record *record, struct sight *sight)
{
	char peer[ROLE_MAX], service[SERVICE_MAX];
	const struct name *destination = record->destination;
	const char *entity = name_entity(destination);
	bool outside = !name_workload(destination) && (!entity || !strcmp(entity, "world"));

	sight->role = role_of(record->source, sight->text);
	sight->known = find_role(baseline, sight->role);
	role_service(&record->event, service);
	join(sight->key, role_of_peer(destination, &record->event.destination, peer), service);
	sight->world[0] = '\0';
	if (outside)
		join(sight->world, "world", service);
}

void baseline_look(const struct baseline *baseline, const struct record *record)
{
	baseline->sight->record = record;
	baseline->sight->valid = false;
}

/* What a record is about. Once for each that was announced by baseline_look(). */
static struct sight *see(const struct baseline *baseline, const struct record *record)
{
	struct sight *sight = baseline->sight;

	if (sight->valid && sight->record == record)
		return sight;
	look_at(baseline, record, sight);
	sight->valid = sight->record == record;
	return sight;
}

/* Somebody is there and talks: neither a refusal, nor a reset, nor a look at whether a port is
 * open. */
static bool is_answered(const struct flow_event *event)
{
	if (event->type > FLOW_END || event->verdict == FLOW_REFUSED || !event->packets[1])
		return false;
	if (event->protocol != IPPROTO_TCP || !protocol_is_ip(event->ethertype))
		return true;
	return event->packets[0] >= 3 || (event->packets[0] == 2 && !(event->tcp_flags & FLAG_RST));
}

static const struct edge *known(const struct role *role, const struct sight *sight)
{
	const struct edge *edge = find_edge(role, sight->key);

	if (edge || !*sight->world)
		return edge;
	edge = find_edge(role, sight->world);
	return edge && edge->networks >= NETWORKS_MAX ? edge : NULL;
}

unsigned int baseline_edge_days(const struct baseline *baseline, const struct record *record)
{
	const struct sight *sight = see(baseline, record);
	const struct edge *edge = sight->known ? known(sight->known, sight) : NULL;

	return edge ? edge->days : 0;
}

bool baseline_has_learnt(const struct baseline *baseline, const struct record *record)
{
	const struct role *role = see(baseline, record)->known;

	return role && record->event.time_ns >= role->first_ns + baseline->options.learning_ns;
}

bool baseline_is_new(const struct baseline *baseline, const struct record *record)
{
	return is_answered(&record->event) && !baseline_edge_days(baseline, record);
}

/* --- learning -----------------------------------------------------------------------------------
 */

static void touch(struct baseline *baseline, struct edge *edge, uint64_t now_ns)
{
	uint32_t day = (uint32_t)(now_ns / DAY_NS);

	if (!edge->days || day > edge->day) {
		edge->day = day;
		edge->days++;
	}
	if (now_ns > edge->last_ns)
		edge->last_ns = now_ns;
	DL_DELETE(baseline->edges_by_age, edge);
	DL_APPEND(baseline->edges_by_age, edge);
}

static bool add_edge(struct baseline *baseline, struct role *role, const char *key, uint64_t now_ns)
{
	struct edge *edge = baseline_edge(baseline, role, key, now_ns);

	if (edge)
		touch(baseline, edge, now_ns);
	return edge;
}

/* Beside the network the world is counted, which takes over when there are many. */
static void add_network(struct baseline *baseline, struct role *role, const struct sight *sight,
	bool is_new, uint64_t now_ns)
{
	struct edge *world = baseline_edge(baseline, role, sight->world, now_ns);

	if (!world)
		return;
	touch(baseline, world, now_ns);
	if (is_new && world->networks >= NETWORKS_MAX)
		return;
	if (add_edge(baseline, role, sight->key, now_ns))
		world->networks += is_new;
}

static bool is_held(const struct baseline *baseline, const struct sight *sight)
{
	char key[HELD_KEY_MAX];
	const struct held *held;

	join(key, sight->role, sight->key);
	HASH_FIND_STR(baseline->held, key, held);
	return held;
}

void baseline_learn(struct baseline *baseline, const struct record *record, bool suspect)
{
	struct sight *sight = see(baseline, record);
	uint64_t now_ns = record->event.time_ns;
	struct role *role = sight->known;
	struct edge *edge;

	if (!role)
		role = sight->known = baseline_role(baseline, sight->role, now_ns);
	if (!role)
		return;
	role->last_ns = now_ns > role->last_ns ? now_ns : role->last_ns;
	DL_DELETE(baseline->roles_by_age, role);
	DL_APPEND(baseline->roles_by_age, role);
	if (!is_answered(&record->event))
		return;
	edge = find_edge(role, sight->key);
	if (!edge && (suspect || is_held(baseline, sight)))
		return;
	if (*sight->world)
		add_network(baseline, role, sight, !edge, now_ns);
	else if (edge)
		touch(baseline, edge, now_ns);
	else
		add_edge(baseline, role, sight->key, now_ns);
}

void baseline_hold(struct baseline *baseline, const struct record *record, const char *alert_id)
{
	const struct sight *sight = see(baseline, record);
	struct edge *edge = sight->known ? find_edge(sight->known, sight->key) : NULL;
	char key[HELD_KEY_MAX];

	if (edge && edge->first_ns < record->event.time_ns)
		return;
	if (edge)
		unlearn_edge(baseline, edge);
	join(key, sight->role, sight->key);
	baseline_add_held(baseline, key, strlen(sight->role), alert_id);
}

void baseline_retract(struct baseline *baseline, const struct record *record, uint64_t first_ns)
{
	char text[ROLE_MAX];
	struct role *role = find_role(baseline, role_of(record->source, text));
	struct edge *edge, *next;

	for (edge = role ? role->edges : NULL; edge; edge = next) {
		next = edge->hh.next;
		if (edge->first_ns >= first_ns)
			unlearn_edge(baseline, edge);
	}
}

void baseline_release(struct baseline *baseline, const char *alert_id)
{
	struct held *held, *next;

	DL_FOREACH_SAFE (baseline->held_by_age, held, next)
		if (!strcmp(held->alert, alert_id))
			remove_held(baseline, held);
}

static bool is_held_of(const struct held *held, const char *role)
{
	size_t length = strlen(role);

	return (!held->role_length || held->role_length == length) &&
	       !strncmp(held->key, role, length) && held->key[length] == ' ';
}

size_t baseline_forget(struct baseline *baseline, const char *text)
{
	struct held *held, *next_held;
	struct role *role, *next;
	size_t count = 0;

	DL_FOREACH_SAFE (baseline->held_by_age, held, next_held)
		if (!text || is_held_of(held, text))
			remove_held(baseline, held);

	DL_FOREACH_SAFE (baseline->roles_by_age, role, next) {
		if (text && strcmp(role->text, text) != 0)
			continue;
		remove_role(baseline, role);
		count++;
	}
	return count;
}
