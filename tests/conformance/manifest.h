/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A cluster's state as the documents that segctl reads. */
#pragma once

#include "base/error.h"
#include "cluster.h"

#include <stdbool.h>
#include <stdio.h>

/* One document a line, each behind a line "---". With imply_types, policyTypes that a NetworkPolicy
 * would get by default anyway are left out. -EINVAL: a pod or node is malformed. */
int manifest_write(
	const struct cluster *cluster, bool imply_types, FILE *stream, struct error *error);
