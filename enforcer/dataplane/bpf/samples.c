/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/samples.h"

#include <arpa/inet.h>

/* Kernel and agent agree on the ABI, so a sample of another size cannot be. */
static int on_sample(void *userdata, void *data, size_t size)
{
	const struct samples *samples = userdata;
	const struct dataplane_callbacks *callbacks = samples->report->callbacks;
	const struct abi_sample *from = data;
	unsigned int originator = from->originator & 1;
	const struct flow_sample sample = {
		.time_ns = from->time_ns + samples->report->context.realtime_offset_ns,
		.source = address_from_ipv6(from->key.address[originator]),
		.destination = address_from_ipv6(from->key.address[!originator]),
		.source_port = ntohs(from->key.port_be[originator]),
		.destination_port = ntohs(from->key.port_be[!originator]),
		.protocol = from->key.protocol,
		.answers = from->sender == ABI_RESPONDER,
		.bytes = from->bytes,
		.size = from->sampled,
		.payload_size = from->size,
	};

	if (size >= sizeof(*from) && sample.size <= sizeof(from->bytes))
		callbacks->sample(&sample, callbacks->userdata);
	return 0;
}

int samples_open(struct samples *samples, const struct objects *objects, struct error *error)
{
	if (!objects->configuration.samples)
		return 0;
	return ring_open(&samples->ring, objects->maps.samples, ABI_SAMPLES_BYTES, error);
}

void samples_drain(struct samples *samples)
{
	if (ring_is_open(&samples->ring))
		ring_read(&samples->ring, on_sample, samples);
}

void samples_close(struct samples *samples)
{
	ring_close(&samples->ring);
}
