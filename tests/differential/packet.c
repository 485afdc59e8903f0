// SPDX-License-Identifier: GPL-2.0-or-later
#include "packet.h"

#include <arpa/inet.h>
#include <linux/icmp.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <string.h>

#define HOP_LIMIT   64
#define TAG_MAGIC   "segd probe"
#define CRC32C_POLY UINT32_C(0x82f63b78)

struct tag {
	char magic[12];
	uint32_t number;
};

/* RFC 9260, 3.2 and 3.3.2; the tag is a parameter that receivers skip (3.2.1). */
struct sctp_init {
	uint16_t ports_be[2];
	uint32_t verification_tag;
	uint32_t checksum;
	uint8_t type;
	uint8_t flags;
	uint16_t length_be;
	uint32_t initiate_tag;
	uint32_t window_be;
	uint16_t streams_be[2];
	uint32_t sequence_be;
	uint16_t parameter_be;
	uint16_t parameter_length_be;
};

#define SCTP_INIT           1
#define SCTP_PARAMETER_SKIP 0xc0de
#define SCTP_COMMON_HEADER  12

static uint8_t *grow(struct packet *packet, size_t size)
{
	uint8_t *start = packet->bytes + packet->size;

	packet->size += size;
	return start;
}

static uint32_t sum(const uint8_t *bytes, size_t size, uint32_t total)
{
	for (size_t i = 0; i < size; i++)
		total += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return total;
}

static uint16_t fold_be(uint32_t total)
{
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return htons((uint16_t)~total);
}

/* RFC 1071 over the pseudo header and the transport; the zero bytes before a mapped IPv4 address
 * add nothing, and its 0xffff adds nothing either. */
static uint16_t checksum_be(
	const struct probe *probe, const uint8_t *transport, size_t size, bool pseudo)
{
	uint32_t total = 0;

	if (pseudo) {
		total = sum(probe->query.source.bytes, 16, total);
		total = sum(probe->query.destination.bytes, 16, total);
		total += (uint32_t)size + probe->query.protocol;
	}
	return fold_be(sum(transport, size, total));
}

/* As SCTP puts it on the wire: least significant byte first (RFC 9260, appendix A). */
static void crc32c(const uint8_t *bytes, size_t size, uint8_t ret[4])
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < size; i++) {
		crc ^= bytes[i];
		for (unsigned int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? CRC32C_POLY : 0);
	}
	crc = ~crc;
	for (unsigned int i = 0; i < 4; i++)
		ret[i] = (uint8_t)(crc >> 8 * i);
}

static void add_tag(struct packet *packet, const struct probe *probe)
{
	struct tag tag = {.magic = TAG_MAGIC, .number = probe->number};

	memcpy(grow(packet, sizeof(tag)), &tag, sizeof(tag));
}

static void add_tcp(struct packet *packet, const struct probe *probe)
{
	const struct tcphdr header = {
		.source = htons(probe->source_port),
		.dest = htons(probe->query.port),
		.seq = htonl(probe->number),
		.doff = sizeof(header) / 4,
		.syn = 1,
		.window = htons(UINT16_MAX),
	};
	uint8_t *start = grow(packet, sizeof(header));
	uint16_t check;

	memcpy(start, &header, sizeof(header));
	add_tag(packet, probe);
	check = checksum_be(probe, start, sizeof(header) + sizeof(struct tag), true);
	memcpy(start + offsetof(struct tcphdr, check), &check, sizeof(check));
}

static void add_udp(struct packet *packet, const struct probe *probe)
{
	const struct udphdr header = {
		.source = htons(probe->source_port),
		.dest = htons(probe->query.port),
		.len = htons(sizeof(header) + sizeof(struct tag)),
	};
	uint8_t *start = grow(packet, sizeof(header));
	uint16_t check;

	memcpy(start, &header, sizeof(header));
	add_tag(packet, probe);
	check = checksum_be(probe, start, sizeof(header) + sizeof(struct tag), true);
	if (!check)
		check = UINT16_MAX; /* zero would mean: none */
	memcpy(start + offsetof(struct udphdr, check), &check, sizeof(check));
}

static void add_icmp(struct packet *packet, const struct probe *probe)
{
	const struct icmphdr header = {
		.type = (uint8_t)(probe->query.port >> 8),
		.code = (uint8_t)probe->query.port,
		.un.echo.id = htons(probe->source_port),
		.un.echo.sequence = htons(1),
	};
	uint8_t *start = grow(packet, sizeof(header));
	uint16_t check;

	memcpy(start, &header, sizeof(header));
	add_tag(packet, probe);
	check = checksum_be(probe, start, sizeof(header) + sizeof(struct tag),
		probe->query.protocol == IPPROTO_ICMPV6);
	memcpy(start + offsetof(struct icmphdr, checksum), &check, sizeof(check));
}

static void add_sctp(struct packet *packet, const struct probe *probe)
{
	const struct sctp_init header = {
		.ports_be = {htons(probe->source_port), htons(probe->query.port)},
		.type = SCTP_INIT,
		.length_be = htons(sizeof(header) - SCTP_COMMON_HEADER + sizeof(struct tag)),
		.initiate_tag = htonl(probe->number + 1),
		.window_be = htonl(UINT16_MAX),
		.streams_be = {htons(1), htons(1)},
		.parameter_be = htons(SCTP_PARAMETER_SKIP),
		.parameter_length_be = htons(4 + sizeof(struct tag)),
	};
	uint8_t *start = grow(packet, sizeof(header));

	memcpy(start, &header, sizeof(header));
	add_tag(packet, probe);
	crc32c(start, sizeof(header) + sizeof(struct tag),
		start + offsetof(struct sctp_init, checksum));
}

static void add_network(struct packet *packet, const struct probe *probe, size_t transport_size)
{
	struct iphdr ipv4 = {
		.version = 4,
		.ihl = sizeof(ipv4) / 4,
		.tot_len = htons((uint16_t)(sizeof(ipv4) + transport_size)),
		.ttl = HOP_LIMIT,
		.protocol = probe->query.protocol,
	}; /* the kernel adds checksum and identification */
	struct ipv6hdr ipv6 = {
		.version = 6,
		.payload_len = htons((uint16_t)transport_size),
		.nexthdr = probe->query.protocol,
		.hop_limit = HOP_LIMIT,
	};

	if (address_is_ipv4(&probe->query.source)) {
		memcpy(&ipv4.saddr, probe->query.source.bytes + 12, 4);
		memcpy(&ipv4.daddr, probe->query.destination.bytes + 12, 4);
		memcpy(grow(packet, sizeof(ipv4)), &ipv4, sizeof(ipv4));
		return;
	}
	memcpy(&ipv6.saddr, probe->query.source.bytes, 16);
	memcpy(&ipv6.daddr, probe->query.destination.bytes, 16);
	memcpy(grow(packet, sizeof(ipv6)), &ipv6, sizeof(ipv6));
}

struct packet packet_build(const struct probe *probe)
{
	struct packet transport = {0}, packet = {0};

	switch (probe->query.protocol) {
	case IPPROTO_TCP:
		add_tcp(&transport, probe);
		break;
	case IPPROTO_UDP:
		add_udp(&transport, probe);
		break;
	case IPPROTO_SCTP:
		add_sctp(&transport, probe);
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		add_icmp(&transport, probe);
		break;
	default:
		add_tag(&transport, probe);
	}
	add_network(&packet, probe, transport.size);
	memcpy(grow(&packet, transport.size), transport.bytes, transport.size);
	return packet;
}

bool packet_number(const uint8_t *bytes, size_t size, uint32_t *ret)
{
	static const struct tag expected = {.magic = TAG_MAGIC};
	struct tag tag;

	if (size < sizeof(tag))
		return false;
	memcpy(&tag, bytes + size - sizeof(tag), sizeof(tag));
	if (memcmp(tag.magic, expected.magic, sizeof(tag.magic)) != 0)
		return false;
	*ret = tag.number;
	return true;
}
