/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent's plain data as JSON, in the forms of control/API.md. New references; NULL: no memory.
 */
#pragma once

#include "base/address.h"
#include "policies/document.h"
#include "policies/labels.h"
#include "workload/registry.h"

#include <jansson.h>
#include <stdint.h>

#define _cleanup_json_ __attribute__((cleanup(json_decrefp)))

json_t *json_from_labels(const struct labels *labels);
json_t *json_from_time(uint64_t realtime_ns); /* null for 0 */
json_t *json_from_workload(const struct workload *workload);
json_t *json_from_document(const struct document *document); /* without its text and subjects */
const char *json_protocol_name(uint8_t protocol);            /* NULL: no name */
