/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rule that came closest to allowing a connection, in words and as JSON. */
#pragma once

#include "policies/near_miss.h"

#include <jansson.h>

/* indent: columns of space before each line. */
void trace_near_miss_print(const struct near_miss *near_miss, int indent);
/* "SegmentPolicy shop/db ingress[0] (db.yaml:7): cause; cause". New string. */
char *trace_near_miss_text(const struct near_miss *near_miss);
json_t *trace_near_miss_to_json(const struct near_miss *near_miss);
