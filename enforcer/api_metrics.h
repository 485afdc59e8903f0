/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What GET /metrics is made of, one subject a file. No label has values that traffic could choose:
 * verdicts, reasons, tables and detectors are lists of ours, rules are bounded in number, workloads
 * have series of their own only where --endpoint-metrics asks for them.
 */
#pragma once

#include "agent.h"
#include "control/metrics.h"

#include <jansson.h>

/* plane: as of api_describe_plane(). */
void metrics_of_plane(struct metrics *metrics, const json_t *plane);
void metrics_of_rules(struct metrics *metrics, struct agent *agent);
/* flows: as of flow_describe(). */
void metrics_of_flows(struct metrics *metrics, const json_t *flows);
void metrics_of_control(struct metrics *metrics, const struct agent *agent);
void metrics_of_observation(struct metrics *metrics, const struct agent *agent);
void metrics_of_endpoints(struct metrics *metrics, const struct agent *agent);
/* Under the names that every client library of Prometheus gives them. */
void metrics_of_process(struct metrics *metrics, const struct agent *agent);

/* A family of one sample without labels: a member of object. */
void metrics_member(struct metrics *metrics, const char *name, enum metrics_type type,
	const char *help, const json_t *object, const char *key);
