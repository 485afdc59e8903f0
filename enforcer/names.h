/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names for what flow events carry as numbers: the agent's side of the flow pipeline. */
#pragma once

#include "agent.h"

struct flow_resolver names_resolver(struct agent *agent);
