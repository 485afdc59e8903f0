/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segd --doctor: the doctor's report on a node where no agent runs, or none is to be asked. */
#pragma once

#include "base/error.h"
#include "options.h"

#include <stdbool.h>

/* Prints the report on standard output. Nothing is changed, and no agent disturbed. */
int examine_node(const struct options *options, bool *ret_healthy, struct error *error);
