/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a resolver knows of a connection besides who its ends are and which rule decided. */
#pragma once

#include "flow/pipeline.h"
#include "flow/record.h"

/* Adds names to the end that is no workload where the other is one, and what packets said. */
void resolve_observed(
	const struct flow_resolver *resolver, struct name_pool *pool, struct record *record);
