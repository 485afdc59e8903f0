/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flow records as comma-separated values (RFC 4180), one column a field, for spreadsheets. */
#pragma once

#include <jansson.h>

void csv_print_heading(void);
void csv_print_record(const json_t *record);
