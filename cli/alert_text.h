/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Alerts and incidents (enforcer/control/API.md) in words. */
#pragma once

#include "table.h"

#include <jansson.h>

enum table_color alert_color(const char *severity);
/* The id of an actor or a target; "many" where there is none. Borrowed. */
const char *alert_party(const json_t *party);
/* "T1046 Network Service Discovery". New string. */
char *alert_technique(const json_t *technique);
/* What was done about it in a word: "open", "seen", "muted", "over". */
const char *alert_state(const json_t *alert);
