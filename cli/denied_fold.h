/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Refusals put together: their packets added up, most first. All give a new reference. */
#pragma once

#include <jansson.h>

/* Refusals that read alike in the table, whatever their addresses. */
json_t *denied_fold(const json_t *refusals);
/* The same, but addresses that a policy can only name as such stay apart. */
json_t *denied_fold_parties(const json_t *refusals);
/* Records of a log with verdict denied, as the agent lists them: by addresses, port and reason. */
json_t *denied_gather(const json_t *records);
