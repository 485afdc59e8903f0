/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A scenario's workloads where they live in the network: what a data plane is asked to enforce. */
#pragma once

#include "dataplane/attachment.h"
#include "network.h"
#include "scenario.h"

/* Those places that are workloads in this scenario, by ifindex; returns how many. Their addresses
 * are borrowed from the scenario's model. */
size_t attachments_list(const struct network *network, const struct scenario *scenario,
	struct attachment attachments[static PLACE_WORKLOADS]);
