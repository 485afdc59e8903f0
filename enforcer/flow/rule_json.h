/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A rule as records name it. */
#pragma once

#include "policies/ir.h"

#include <jansson.h>

/* {"tier", "kind", "namespace", "name", "index", "text"}. New reference; NULL: out of memory. */
json_t *rule_to_json(const struct ir_rule *rule);
