/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program that runs to its end, with files in memory for all that it reads and prints. */
#pragma once

#include "base/error.h"

#include <stdio.h>

/* A new empty file in memory. */
int command_file(FILE **ret, struct error *error);

/* Runs arguments[0], which reads input (a descriptor of a file) from its start. *ret is what it
 * printed, to be closed by the caller. -EINVAL: it failed; error holds what it said. */
int command_run(const char *const *arguments, int input, FILE **ret, struct error *error);
