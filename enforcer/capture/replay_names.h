/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names for addresses and rules from a model and its IR: what the agent takes from its registry. */
#pragma once

#include "flow/pipeline.h"
#include "policies/ir.h"
#include "policies/model.h"

struct replay_names {
	const struct ir *ir;
	const struct model *model;
};

/* Borrows names. */
struct flow_resolver replay_names_resolver(const struct replay_names *names);
