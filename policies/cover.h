/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether one part of a rule takes in all that another does, whatever workloads there are. True is
 * proved; false may also mean that it cannot be told from selectors, prefixes and ranges.
 */
#pragma once

#include "policies/model.h"
#include "policies/policy.h"

bool selector_covers(const struct selector *outer, const struct selector *inner);
/* model knows the labels of namespaces. */
bool workloads_cover(const struct model *model, const struct policy_workloads *outer,
	const struct policy_workloads *inner);
bool peer_covers(const struct model *model, const struct policy_peer *outer,
	const struct policy_peer *inner);
bool port_covers(const struct policy_port *outer, const struct policy_port *inner);

/* All peers of a rule, or all its ports. */
bool peers_cover(const struct model *model, const struct policy_rule *outer,
	const struct policy_rule *inner);
bool ports_cover(const struct policy_rule *outer, const struct policy_rule *inner);

/* The exceptions of a CIDR leave nothing of it. */
bool cidr_is_empty(const struct policy_peer *peer);
