/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How often each rule decided, as the programs count it. */
#pragma once

#include "base/error.h"
#include "dataplane/bpf/objects.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Tells each rule's count so far: connections that it allowed and packets that it refused, summed
 * up over the CPUs. Where visit says false, no one knows the rule any more and its count is
 * forgotten. 0, -ENOMEM, or what the kernel says.
 */
int hits_visit(const struct objects *objects,
	bool (*visit)(uint32_t rule, uint64_t hits, void *userdata), void *userdata,
	struct error *error);
