/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the IR to numbers: which identities the next generation has, and what they mean in it. */
#pragma once

#include "dataplane/bpf/generation.h"

/* Numbers tables and identities and marks them USE_NEXT. Nothing is written to the kernel. -E2BIG:
 * a bound, named in error; -ENOMEM. What was marked is undone by the caller. */
int wishes_build(
	struct generations *generations, const struct dataplane_state *state, struct error *error);
