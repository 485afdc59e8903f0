/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same filter for history, stream, map and refusals, and for who reads a log without an agent.
 * Keys as in the API's query: from, to, workload (namespace/name or name), namespace, label
 * (key=value), port, protocol, id, verdict, reason, rule (policy name), cidr, dns-name (or a
 * pattern such as *.example.org), since, until (RFC 3339, or 10s/5m/2h/1d ago), limit.
 */
#pragma once

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct flow_filter;

/* -EINVAL: unknown key or bad value, in error. */
int flow_filter_set(
	struct flow_filter **filter, const char *key, const char *value, struct error *error);
/* Gaps pass every filter but time. A NULL filter matches everything. */
bool flow_filter_matches(const struct flow_filter *filter, const json_t *record);
void flow_filter_free(struct flow_filter *filter);
