/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of a small YAML file that holds no documents: settings, lists of workloads. */
#pragma once

#include "base/error.h"

#include <stddef.h>

/* *ret is malloc()ed and not terminated. -errno of opening, -EIO, -EFBIG beyond 1 MiB, -ENOMEM; the
 * error names the file. */
int yaml_file_read(const char *path, char **ret, size_t *ret_size, struct error *error);
