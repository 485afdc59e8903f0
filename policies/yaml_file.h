/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small YAML file that is no policy: settings, a list of workloads. */
#pragma once

#include "base/error.h"
#include "policies/yaml_reader.h"

#include <stddef.h>

/* *ret is malloc()ed and not terminated. -errno of opening, -EIO, -EFBIG beyond 1 MiB, -ENOMEM; the
 * error names the file. */
int yaml_file_read(const char *path, char **ret, size_t *ret_size, struct error *error);

/*
 * Hands the root of the one document that the text must have to read, which puts mistakes into the
 * reader's diagnostics. 0, -EINVAL (the diagnostics say what is wrong), -ENOMEM. may_be_empty: a
 * text of comments alone will do, and read is not called.
 */
int yaml_file_parse(const char *file, const char *text, size_t size, bool may_be_empty,
	void (*read)(struct yaml_reader *reader, yaml_node_t *root, void *userdata), void *userdata,
	struct diagnostics *diagnostics);
