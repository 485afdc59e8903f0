/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Alerts as a table, whoever found them. */
#pragma once

#include "settings.h"

#include <jansson.h>

void alert_table_print(const struct settings *settings, const json_t *alerts);
