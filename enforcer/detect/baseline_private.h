/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two halves of the baseline share: learning, and telling and keeping what was learnt. */
#pragma once

#include "base/large_hash.h"
#include "detect/baseline.h"
#include "detect/role.h"

#define EDGE_KEY_MAX (ROLE_MAX + SERVICE_MAX + 1)
#define HELD_KEY_MAX (ROLE_MAX + 1 + EDGE_KEY_MAX)

struct role;

struct edge {
	struct role *role;
	uint64_t first_ns;
	uint64_t last_ns;
	uint32_t day; /* the last one, since 1970 */
	uint32_t days;
	uint32_t networks;        /* of an edge to the world: how many are kept beside it */
	struct edge *prev, *next; /* of all roles, from the longest idle to the latest */
	UT_hash_handle hh;
	char key[]; /* "peer service": no service has a space */
};

struct role {
	uint64_t first_ns;
	uint64_t last_ns;
	struct edge *edges;
	struct role *prev, *next;
	UT_hash_handle hh;
	char text[];
};

struct held {
	char alert[16];
	size_t role_length; /* of key; 0: an earlier version did not keep it */
	struct held *prev, *next;
	UT_hash_handle hh;
	char key[]; /* "role peer service" */
};

/* What a record is about, in the baseline's words. */
struct sight {
	const struct record *record; /* see baseline_look(); NULL: none */
	bool valid;
	const char *role;   /* the source's, in text or its name */
	struct role *known; /* that role; NULL: nothing of it is */
	char key[EDGE_KEY_MAX];
	char world[SERVICE_MAX + 8]; /* the same for the whole world; "" where it is not outside */
	char text[ROLE_MAX];
};

struct baseline {
	struct sight *sight; /* of the last record that was asked about */
	struct baseline_options options;
	struct role *roles;
	struct role *roles_by_age;
	struct edge *edges_by_age;
	size_t edges_count;
	struct held *held;
	struct held *held_by_age;
	uint64_t evicted_roles;
	uint64_t evicted_edges;
	uint64_t evicted_held;
	uint64_t turned_away; /* for lack of memory */
};

/* Found or made; NULL: out of memory, counted. A new one begins at now_ns and is the latest. */
struct role *baseline_role(struct baseline *baseline, const char *text, uint64_t now_ns);
struct edge *baseline_edge(
	struct baseline *baseline, struct role *role, const char *key, uint64_t now_ns);
void baseline_add_held(
	struct baseline *baseline, const char *key, size_t role_length, const char *alert_id);
