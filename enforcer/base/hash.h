/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uthash as the agent uses it: running out of memory fails one insertion, not the process. */
#pragma once

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* After HASH_ADD: false when there was no memory for it; the element is then in no table. */
#define HASH_ADDED(element) ((element)->hh.tbl != NULL)
