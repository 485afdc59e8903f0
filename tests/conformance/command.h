/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program that runs to its end, with files in memory for all that it reads and prints. */
#pragma once

#include "base/error.h"

#include <stddef.h>

/* A descriptor of a new empty file in memory, or a negative errno. */
int command_file(struct error *error);

/* Runs arguments[0], which reads input (a descriptor of a file) from its start. *ret is what it
 * printed, owned by the caller. -EINVAL: it failed; error holds what it said. */
int command_run(
	const char *const *arguments, int input, char **ret, size_t *ret_size, struct error *error);
