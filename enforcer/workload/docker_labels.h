/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A container's labels, which anybody who builds an image writes. Pure. */
#pragma once

#include "base/error.h"
#include "policies/labels.h"
#include "workload/registry.h"

#include <jansson.h>

/*
 * Keys that no selector can name are left out, values are cut to a bound and freed of control
 * characters. More than DOCKER_LABELS_MAX are -EBADMSG: to drop some would let an image push out
 * those that policies are about.
 */
int docker_parse_labels(const json_t *object, struct labels *ret, struct error *error);

/* Adds the named ports that the workload's labels tell of. What is no "name=protocol/number" is
 * passed over and described in *problem (owned by the caller; untouched if all is well). 0 or
 * -ENOMEM. */
int docker_parse_ports(struct workload *workload, char **problem);

/* A copy of text, within bounds and without control characters. NULL: out of memory. */
char *docker_label_text(const char *text);
