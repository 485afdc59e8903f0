/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uthash as the agent needs it: running out of memory fails the insertion (hh.tbl is NULL then),
 * not the process. */
#pragma once

#define HASH_NONFATAL_OOM 1
#include <uthash.h>
