/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/hash.h for tables that may be large: shorter chains. */
#pragma once

#include "base/hash.h"

/* Each element of a chain that is passed over is a cache miss in a table of tens of thousands of
 * connections, and uthash's own 10 leaves several to pass. */
#undef HASH_BKT_CAPACITY_THRESH
#define HASH_BKT_CAPACITY_THRESH 7U
