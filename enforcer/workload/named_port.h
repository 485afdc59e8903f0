/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ports that a workload has names for, as sources write them. */
#pragma once

#include "workload/registry.h"

#define NAMED_PORTS_MAX 64

/* Adds name for text: "tcp/8080", "udp/53", "sctp/38412". 0, also where the two are no such thing:
 * then *ret_problem (owned by the caller) says what is wrong. -ENOMEM. */
int named_port_add(
	struct workload *workload, const char *name, const char *text, char **ret_problem);
