/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which rule came closest to allowing what was refused, by the agent's policies and workloads of
 * now. */
#pragma once

#include "policies/evaluate.h"
#include "settings.h"

#include <jansson.h>

/* Gives each refusal by policy a text "nearest". Where the agent cannot be asked any more, there is
 * none. */
void denied_nearest_add(const struct settings *settings, json_t *refusals);

/* What a refusal asks of policy. False: it is nothing that policy is asked about. */
bool denied_nearest_query(const json_t *refusal, struct flow_query *ret);
