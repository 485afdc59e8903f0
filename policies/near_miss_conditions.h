/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The conditions of one rule, held against one connection. Private to near_miss.c. */
#pragma once

#include "policies/near_miss.h"

#define END_NAME_MAX 512

/* A connection seen from one of its ends. */
struct view {
	const struct model *model;
	const struct flow_query *query;
	enum direction direction;
	bool host; /* the subject is the node: only policies about it are looked at */
	const struct model_workload *subject; /* NULL where host is set */
	const struct model_namespace *subject_namespace;
	const struct model_workload *peer; /* NULL: none that has labels */
	const struct model_namespace *peer_namespace;
	const struct address *peer_address;
	char subject_name[END_NAME_MAX];
	char peer_name[END_NAME_MAX]; /* the address where there is no workload */
};

/* What fails so far. Sentences are made for the winner only. */
struct misses {
	size_t count;
	unsigned int weight;
	bool describe;
	bool out_of_memory;
	struct unmet *items; /* with describe */
	size_t items_count;
};

void misses_add(struct misses *misses, enum unmet_kind kind, bool subject, unsigned int weight,
	const char *format, ...) __attribute__((format(printf, 5, 6)));
/* < 0: a is nearer. */
int misses_compare(const struct misses *a, const struct misses *b);
void misses_clear(struct misses *misses);

/* The policy's namespace does not hold the subject. */
bool view_is_elsewhere(const struct view *view, const struct document *document);

void check_subject(const struct view *view, const struct document *document, struct misses *misses);
/* moved: as if the policy were in the subject's namespace. */
void check_peers(const struct view *view, const struct document *document,
	const struct policy_rule *rule, bool moved, struct misses *misses);
void check_ports(const struct view *view, const struct policy_rule *rule, struct misses *misses);
