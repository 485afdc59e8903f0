/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is behind an address on this node: the interface and the MAC. conntrack knows neither, nor do
 * the sets that count refusals; events get them from here, as the eBPF data plane tells them.
 */
#pragma once

#include "dataplane/attachment.h"
#include "flow/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct end {
	struct address address;
	uint32_t ifindex;
	uint8_t mac[6];
};

struct ends {
	struct end *items;
	size_t count;
	bool sorted; /* by address: not before somebody asks */
};

/* 0 or -ENOMEM; then *ret is untouched. */
int ends_copy(const struct attachment *attachments, size_t count, struct ends *ret);
void ends_clear(struct ends *ends);

/* Fills in what the event does not say yet: the MACs of ends that are here, and the interface of
 * the source, or else of the destination. */
void ends_fill(struct ends *ends, struct flow_event *event);
