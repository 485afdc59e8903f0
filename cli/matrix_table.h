/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The matrix as people read it: rows call columns. */
#pragma once

#include "probe.h"

void matrix_table_print(const struct settings *settings, const struct offline *offline,
	const struct probe *probe, const struct offline_end *ends, size_t ends_count);
/* What the marks mean. */
void matrix_table_legend(void);
