/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Beginnings of payloads for user space (struct abi_sample). A connection says whether it still
 * wants any, so that all others pay for one look at a byte of an entry that was read anyway; and
 * where the configuration has no samples, the verifier takes even that out.
 *
 * Each second has a budget, of which no workload may have more than its part. What is beyond is
 * counted, and passes all the same.
 */
#pragma once

#include "xdp/event.bpf.h"
#include "xdp/packet.bpf.h"
#include "xdp/share.bpf.h"

/* No table has this type, see event_layout. */
const struct abi_sample *sample_layout __attribute__((unused));

/* As abi_share.samples. */
static __u32 samples_taken;
static __u32 samples_opened;

/* CPUs that race here may take a few more than most. */
static __always_inline int sample_budget(__u32 *taken, __u32 most)
{
	__u32 second = (__u32)(clock_now_ns() >> 30) << 16; /* of 1.07 s, which is as good */
	__u32 seen = *taken;

	if ((seen ^ second) >> 16)
		seen = second;
	if ((seen & 0xffff) >= most)
		return 0;
	*taken = seen + 1;
	return 1;
}

/* Of a new connection: how many packets after the one that opens it, which is the first. */
static __always_inline __u8 samples_of(const struct packet *packet)
{
	if (!configuration.samples)
		return 0;
	if (packet->protocol == IPPROTO_UDP &&
		packet->destination_port_be == bpf_htons(ABI_DNS_PORT))
		return ABI_SAMPLES_ALL;
	if ((packet->protocol != IPPROTO_TCP && packet->protocol != IPPROTO_UDP) ||
		!sample_budget(&samples_opened, configuration.sampled_connections))
		return 0;
	return ABI_SAMPLES_FEW - 1;
}

static __always_inline int sample_is_wanted(const struct abi_connection *connection)
{
	return configuration.samples && connection->samples;
}

/* Where the payload begins; 0: there is none. */
static __always_inline __u32 sample_offset(struct __sk_buff *skb, const struct packet *packet)
{
	__u32 offset = packet->transport + 8;
	__u8 words;

	if (packet->protocol == IPPROTO_TCP) {
		if (bpf_skb_load_bytes(skb, packet->transport + 12, &words, sizeof(words)))
			return 0;
		offset = packet->transport + (words >> 4) * 4;
	}
	return offset < packet->end ? offset : 0;
}

/* size is not 0. Kernels up to 6.1 want the number that is compared to be the one that is used, and
 * do not conclude from a comparison with 0 that a number is above it. */
static __always_inline long sample_load(
	struct __sk_buff *skb, struct abi_sample *sample, __u32 offset, __u32 size)
{
	__u32 last = size - 1;

	asm volatile("" : "+r"(last));
	if (last >= sizeof(sample->bytes))
		last = sizeof(sample->bytes) - 1;
	asm volatile("" : "+r"(last));
	sample->sampled = last + 1;
	return bpf_skb_load_bytes(skb, offset, sample->bytes, last + 1);
}

static __always_inline int sample_copy(struct __sk_buff *skb, const struct packet *packet,
	const struct abi_connection *connection, __u32 sender, __u32 offset)
{
	struct abi_sample *sample = bpf_ringbuf_reserve(&samples, sizeof(*sample), 0);
	__u32 size = packet->end - offset;

	if (!sample)
		return -1;
	__builtin_memcpy(&sample->key, &packet->key, sizeof(sample->key));
	sample->time_ns = clock_now_ns();
	sample->size = size > 0xffff ? 0xffff : size;
	sample->originator = connection->originator;
	sample->sender = sender;
	if (sample_load(skb, sample, offset, size)) {
		bpf_ringbuf_discard(sample, BPF_RB_NO_WAKEUP);
		return -1;
	}
	bpf_ringbuf_submit(sample, BPF_RB_NO_WAKEUP);
	return 0;
}

/* CPUs that race here may take one more; 255 are as many as there are. */
static __noinline int sample_take(struct __sk_buff *skb, const struct packet *packet,
	struct abi_connection *connection, __u32 sender)
{
	__u32 offset = sample_offset(skb, packet);
	__u8 wanted = connection->samples;
	struct abi_share *share;

	if (wanted && wanted != ABI_SAMPLES_ALL)
		connection->samples = wanted - 1;
	if (!offset)
		return 0;
	share = share_of(connection->owner);
	if (!share || !sample_budget(&share->samples, configuration.samples / ABI_SAMPLE_SHARE) ||
		!sample_budget(&samples_taken, configuration.samples) ||
		sample_copy(skb, packet, connection, sender, offset))
		loss_count(ABI_LOSS_SAMPLE);
	return 0;
}
