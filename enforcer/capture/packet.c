/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/packet.h"

#include "base/cleanup.h"
#include "xdp/reasons.h"

#include <string.h>

/*
 * The parser of the BPF programs, over the bytes of a capture. It reads by two ways: in place from
 * skb->data, which is left empty here, and by the helper, which is ours. What speaks of void
 * pointers' sizes there is usual for BPF.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define UDP_HEADER 8

struct capture_skb {
	struct __sk_buff skb; /* first: the parser knows no more than this */
	const uint8_t *ethernet;
	const uint8_t *payload; /* behind the Ethernet header */
	uint32_t payload_captured;
	bool cut; /* it was asked for bytes that the packet had, but the capture has not */
};

static long load_bytes(struct __sk_buff *skb, uint32_t offset, void *to, uint32_t length);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpointer-arith"
#pragma GCC diagnostic ignored "-Wsign-compare"
#define configuration                               packet_configuration
#define bpf_skb_load_bytes(skb, offset, to, length) load_bytes(skb, offset, to, length)
#include "xdp/parse.bpf.h"
#undef bpf_skb_load_bytes
#pragma GCC diagnostic pop

static long load_bytes(struct __sk_buff *skb, uint32_t offset, void *to, uint32_t length)
{
	struct capture_skb *capture = (struct capture_skb *)skb;
	uint32_t head = offset < ETH_HLEN ? ETH_HLEN - offset : 0;

	if (offset > skb->len || length > skb->len - offset)
		return -1;
	if (head > length)
		head = length;
	if (offset + length > ETH_HLEN + capture->payload_captured) {
		capture->cut = true;
		return -1;
	}
	if (head)
		memcpy(to, capture->ethernet + offset, head);
	if (length > head)
		memcpy((uint8_t *)to + head, capture->payload + (offset + head - ETH_HLEN),
			length - head);
	return 0;
}

/* --- what stands before the packet --------------------------------------------------------------
 */

static uint16_t read_be16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static uint16_t ethertype_of_version(const uint8_t *bytes, size_t length)
{
	if (!length)
		return 0;
	return bytes[0] >> 4 == 4 ? ETH_P_IP : bytes[0] >> 4 == 6 ? ETH_P_IPV6 : 0;
}

/* How much stands before the packet; UINT32_MAX: it is not whole. ethernet is filled. */
static uint32_t read_link(const struct capture_packet *packet, enum capture_link link,
	uint8_t ethernet[static ETH_HLEN])
{
	static const uint32_t sizes[] = {
		[CAPTURE_LINK_NULL] = 4,
		[CAPTURE_LINK_LOOP] = 4,
		[CAPTURE_LINK_COOKED] = 16,
		[CAPTURE_LINK_COOKED2] = 20,
		[CAPTURE_LINK_ETHERNET] = ETH_HLEN,
	};
	uint32_t size = (size_t)link < ARRAY_SIZE(sizes) ? sizes[link] : 0;
	const uint8_t *frame = packet->frame;
	uint16_t ethertype;

	if (packet->captured < size)
		return UINT32_MAX;
	switch (link) {
	case CAPTURE_LINK_ETHERNET:
		memcpy(ethernet, frame, ETH_HLEN);
		return size;
	case CAPTURE_LINK_COOKED:
		memcpy(ethernet + ETH_ALEN, frame + 6, ETH_ALEN);
		ethertype = read_be16(frame + 14);
		break;
	case CAPTURE_LINK_COOKED2:
		memcpy(ethernet + ETH_ALEN, frame + 12, ETH_ALEN);
		ethertype = read_be16(frame);
		break;
	default:
		ethertype = ethertype_of_version(frame + size, packet->captured - size);
	}
	ethernet[12] = (uint8_t)(ethertype >> 8);
	ethernet[13] = (uint8_t)ethertype;
	return size;
}

bool packet_link_is_known(int link)
{
	switch (link) {
	case CAPTURE_LINK_NULL:
	case CAPTURE_LINK_ETHERNET:
	case CAPTURE_LINK_RAW_OLD:
	case CAPTURE_LINK_RAW:
	case CAPTURE_LINK_LOOP:
	case CAPTURE_LINK_COOKED:
	case CAPTURE_LINK_IPV4:
	case CAPTURE_LINK_IPV6:
	case CAPTURE_LINK_COOKED2:
		return true;
	default:
		return false;
	}
}

/* --- what the parser says -----------------------------------------------------------------------
 */

static struct packet_ends ends_of(const struct packet *parsed)
{
	struct packet_ends ends = {
		.source_port = bpf_ntohs(parsed->source_port_be),
		.destination_port = bpf_ntohs(parsed->destination_port_be),
		.type_code = parsed->type_code,
		.protocol = parsed->protocol,
	};

	memcpy(ends.source, parsed->source.bytes, sizeof(ends.source));
	memcpy(ends.destination, parsed->destination.bytes, sizeof(ends.destination));
	return ends;
}

/* As related.bpf.h does. */
static void read_carried(
	struct capture_skb *skb, const struct packet *error, struct capture_packet *packet)
{
	const uint32_t offset = error->transport + ICMP_HEADER;
	struct packet carried = {.ethertype = error->ethertype};
	int reason;

	if (error->ethertype == ETH_P_IP)
		reason = parse_ipv4(&skb->skb, &carried, offset, 1);
	else
		reason = parse_ipv6(&skb->skb, &carried, offset, 1);
	packet->has_carried = !reason && carried.kind != PACKET_FRAGMENT &&
			      address_equal(&carried.source, &error->destination);
	packet->carried = ends_of(&carried);
}

/* The address that ARP or neighbour discovery says is the sender's. */
static void read_claim(
	struct capture_skb *skb, const struct packet *parsed, struct capture_packet *packet)
{
	const uint8_t type = (uint8_t)(parsed->type_code >> 8);
	union address claim = parsed->source;

	if (parsed->ethertype == ETH_P_ARP) {
		load_bytes(&skb->skb, ETH_HLEN + offsetof(struct arp, sender_mac),
			packet->sender_mac, sizeof(packet->sender_mac));
		if (!parsed->source.words[3])
			claim = parsed->destination;
	} else if (type == ND_NEIGHBOUR_ADVERTISEMENT ||
		   (type == ND_NEIGHBOUR_SOLICITATION && address_is_unspecified(&claim))) {
		if (load_bytes(&skb->skb, parsed->transport + ICMP_HEADER, &claim, sizeof(claim)))
			claim = (union address){0};
	}
	memcpy(packet->claim, claim.bytes, sizeof(packet->claim));
}

static void take_over(const struct packet *parsed, struct capture_packet *packet)
{
	packet->ends = ends_of(parsed);
	packet->kind = parsed->kind;
	packet->tcp_flags = parsed->tcp_flags;
	packet->hop_limit = parsed->hop_limit;
	packet->first_fragment = parsed->first_fragment;
	packet->fragment_protocol = parsed->fragment_protocol;
	packet->fragment_id = parsed->fragment_id;
	packet->ethertype = parsed->ethertype;
	packet->bytes = parsed->bytes;
}

static void find_datagram(
	const struct capture_skb *skb, const struct packet *parsed, struct capture_packet *packet)
{
	const uint32_t offset = parsed->transport + UDP_HEADER, behind = offset - ETH_HLEN;

	if (parsed->kind != PACKET_EITHER || parsed->protocol != IPPROTO_UDP ||
		offset >= parsed->end || behind >= skb->payload_captured)
		return;
	packet->datagram = skb->payload + behind;
	packet->datagram_size = parsed->end - offset;
	packet->datagram_captured = skb->payload_captured - behind;
	if (packet->datagram_captured > packet->datagram_size) /* what pads a short frame */
		packet->datagram_captured = packet->datagram_size;
}

/* A capture says what it likes; no packet is larger than this. */
static uint32_t length_of(const struct capture_packet *packet)
{
	const uint32_t most = 1U << 24;
	uint32_t length = packet->length < packet->captured ? packet->captured : packet->length;

	return length < most ? length : most;
}

void packet_parse(struct capture_packet *packet, enum capture_link link)
{
	uint8_t ethernet[ETH_HLEN] = {0};
	uint32_t size;
	struct packet parsed = {0};
	struct capture_skb skb = {0};

	*packet = (struct capture_packet){
		.time_ns = packet->time_ns,
		.frame = packet->frame,
		.captured = packet->captured,
		.length = packet->length,
	};
	if (packet->captured > length_of(packet))
		packet->captured = length_of(packet);
	size = read_link(packet, link, ethernet);
	if (size == UINT32_MAX) {
		packet->cut = packet->captured < packet->length;
		packet->reason = REASON_MALFORMED;
		return;
	}
	skb.ethernet = ethernet;
	skb.payload = packet->frame + size;
	skb.payload_captured = packet->captured - size;
	skb.skb.len = ETH_HLEN + length_of(packet) - size;
	/* A length field of 0 is what a packet has that was captured before it was cut up. */
	skb.skb.gso_size = 1;
	packet->reason = parse_frame(&skb.skb, &parsed);
	take_over(&parsed, packet);
	memcpy(packet->destination_mac, ethernet, ETH_ALEN);
	memcpy(packet->source_mac, ethernet + ETH_ALEN, ETH_ALEN);
	packet->cut = skb.cut;
	if (packet->reason)
		return;
	if (parsed.kind == PACKET_ERROR)
		read_carried(&skb, &parsed, packet);
	else if (parsed.kind == PACKET_NEIGHBOUR)
		read_claim(&skb, &parsed, packet);
	else
		find_datagram(&skb, &parsed, packet);
}

uint16_t packet_ends_port(const struct packet_ends *ends)
{
	return packet_ends_are_icmp(ends) ? ends->type_code : ends->destination_port;
}

bool packet_ends_have_ports(const struct packet_ends *ends)
{
	return ends->protocol == IPPROTO_TCP || ends->protocol == IPPROTO_UDP ||
	       ends->protocol == IPPROTO_SCTP;
}

bool packet_ends_are_icmp(const struct packet_ends *ends)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	bool ipv4 = !memcmp(ends->source, mapped, sizeof(mapped));

	return ends->protocol == (ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

struct packet_ends packet_ends_turned(const struct packet_ends *ends)
{
	struct packet_ends turned = *ends;

	memcpy(turned.source, ends->destination, sizeof(turned.source));
	memcpy(turned.destination, ends->source, sizeof(turned.destination));
	turned.source_port = ends->destination_port;
	turned.destination_port = ends->source_port;
	return turned;
}
