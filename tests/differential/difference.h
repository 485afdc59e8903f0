/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a probe met against what the evaluator says of it. */
#pragma once

#include "probe.h"

/* Writes what is different, each on a line of its own. How many there are. */
unsigned int difference_print(
	const struct scenario *scenario, const struct probe *probe, FILE *stream);
