/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How it is with log and store. */
#pragma once

#include "flow/log.h"
#include "flow/pipeline.h"
#include "flow/store.h"

/* As flow_storage() in pipeline.h. Each may be NULL. */
struct flow_storage storage_look(const struct flow_log *log, struct flow_store *store);
