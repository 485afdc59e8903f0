/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What user space hears at once. What it cannot hear is counted. */
#pragma once

#include "xdp/maps.bpf.h"

/* No table has this type: so that it is in the object's BTF for whoever checks the layout. */
const struct abi_event *event_layout __attribute__((unused));

static __always_inline void loss_add(__u32 loss, __u64 many)
{
	__u64 *count = bpf_map_lookup_elem(&losses, &loss);

	if (count)
		*count += many;
}

static __always_inline void loss_count(__u32 loss)
{
	loss_add(loss, 1);
}

/* NULL: no room. The caller fills, then submits or discards. */
static __always_inline struct abi_event *event_new(enum abi_event_type type)
{
	struct abi_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return NULL;
	event->type = type;
	event->pad = 0;
	return event;
}

static __always_inline void event_connection(
	const struct abi_connection_key *key, const struct abi_connection *connection)
{
	struct abi_event *event = event_new(ABI_EVENT_NEW);

	if (!event) {
		loss_count(ABI_LOSS_EVENT);
		return;
	}
	__builtin_memcpy(&event->connection.key, key, sizeof(*key));
	__builtin_memcpy(&event->connection.value, connection, sizeof(*connection));
	bpf_ringbuf_submit(event, 0);
}

/* The rest of the union stays as the ring buffer had it, which was an event of ours. */
static __always_inline void event_denial(const struct abi_denial_key *key)
{
	struct abi_event *event = event_new(ABI_EVENT_DENIED);

	if (!event) /* the entry in denials speaks for itself */
		return;
	__builtin_memcpy(&event->denial, key, sizeof(*key));
	bpf_ringbuf_submit(event, 0);
}
