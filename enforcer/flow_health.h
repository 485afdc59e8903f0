/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks each second whether flow log and flow store can be written. What they cannot is one line in
 * the journal and a trouble in the status, and so is that they can again: both try again by
 * themselves.
 */
#pragma once

#include "base/error.h"

struct agent;
struct flow_health;

int flow_health_open(struct agent *agent, struct flow_health **ret, struct error *error);
void flow_health_free(struct flow_health *health);
