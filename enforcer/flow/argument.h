/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values that the filters of flows and of alerts have in common. -EINVAL: error says which key has
 * what, and what was expected; the former value stays. */
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* As timestamp_parse(), before now. */
int argument_time(uint64_t *ret_ns, const char *key, const char *text, struct error *error);
/* From 1. */
int argument_limit(size_t *ret, const char *text, struct error *error);
