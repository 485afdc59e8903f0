/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wire.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define IPV4_HEADER 20
#define IPV6_HEADER 40

void wire_add(struct wire *wire, const void *bytes, size_t size)
{
	if (size > sizeof(wire->bytes) - wire->size)
		abort();
	memcpy(wire->bytes + wire->size, bytes, size);
	wire->size += size;
}

void wire_add8(struct wire *wire, uint8_t value)
{
	wire_add(wire, &value, sizeof(value));
}

void wire_add16(struct wire *wire, uint16_t value)
{
	value = htons(value);
	wire_add(wire, &value, sizeof(value));
}

void wire_add32(struct wire *wire, uint32_t value)
{
	value = htonl(value);
	wire_add(wire, &value, sizeof(value));
}

void wire_fill(struct wire *wire, uint8_t value, size_t size)
{
	while (size--)
		wire_add8(wire, value);
}

void wire_put16(struct wire *wire, size_t offset, uint16_t value)
{
	value = htons(value);
	memcpy(wire->bytes + offset, &value, sizeof(value));
}

void wire_ethernet(struct wire *wire, const uint8_t to[static 6], const uint8_t from[static 6],
	uint16_t ethertype)
{
	wire_add(wire, to, ETH_ALEN);
	wire_add(wire, from, ETH_ALEN);
	wire_add16(wire, ethertype);
}

static void add_ipv4(struct wire *wire, const struct wire_ip *ip)
{
	wire_add8(wire, (uint8_t)(0x45 + ip->options_size / 4));
	wire_add8(wire, 0);
	wire_add16(wire, 0);
	wire_add16(wire, ip->id);
	wire_add16(wire, 0);
	wire_add8(wire, ip->hop_limit ? ip->hop_limit : 64);
	wire_add8(wire, ip->protocol);
	wire_add16(wire, 0);
	wire_add(wire, ip->from->bytes + 12, 4);
	wire_add(wire, ip->to->bytes + 12, 4);
	if (ip->options_size)
		wire_add(wire, ip->options, ip->options_size);
}

void wire_ip(struct wire *wire, const struct wire_ip *ip)
{
	wire->network = wire->size;
	if (address_is_ipv4(ip->from)) {
		add_ipv4(wire, ip);
	} else {
		wire_add32(wire, 0x60000000);
		wire_add16(wire, 0);
		wire_add8(wire, ip->protocol);
		wire_add8(wire, ip->hop_limit ? ip->hop_limit : 64);
		wire_add(wire, ip->from->bytes, sizeof(ip->from->bytes));
		wire_add(wire, ip->to->bytes, sizeof(ip->to->bytes));
	}
	wire->transport = wire->size;
}

void wire_udp(struct wire *wire, uint16_t from, uint16_t to)
{
	wire_add16(wire, from);
	wire_add16(wire, to);
	wire_add32(wire, 0);
}

void wire_tcp(struct wire *wire, uint16_t from, uint16_t to, uint8_t flags)
{
	wire_add16(wire, from);
	wire_add16(wire, to);
	wire_add32(wire, 1000);
	wire_add32(wire, flags & TCP_ACK ? 1 : 0);
	wire_add16(wire, 0x5000 | flags);
	wire_add16(wire, 0x2000);
	wire_add32(wire, 0);
}

void wire_icmp(struct wire *wire, uint8_t type, uint8_t code, uint32_t rest)
{
	wire_add8(wire, type);
	wire_add8(wire, code);
	wire_add16(wire, 0);
	wire_add32(wire, rest);
}

/* RFC 1071. */
static uint32_t sum(uint32_t sum, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	if (size % 2)
		sum += (uint32_t)bytes[size - 1] << 8;
	return sum;
}

static uint16_t folded(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static bool is_ipv4(const struct wire *wire)
{
	return wire->bytes[wire->network] >> 4 == 4;
}

void wire_sum_header(struct wire *wire)
{
	uint8_t *header = wire->bytes + wire->network;

	wire_put16(wire, wire->network + 10, 0);
	wire_put16(
		wire, wire->network + 10, folded(sum(0, header, wire->transport - wire->network)));
}

static size_t checksum_offset(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return 16;
	case IPPROTO_UDP:
		return 6;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return 2;
	default:
		return 0;
	}
}

static void sum_transport(struct wire *wire, uint8_t protocol)
{
	const uint8_t *header = wire->bytes + wire->network;
	size_t size = wire->size - wire->transport, offset = checksum_offset(protocol);
	uint32_t total = 0;

	if (!offset || size < offset + 2)
		return;
	if (protocol != IPPROTO_ICMP) {
		total = (uint32_t)size + protocol;
		total = is_ipv4(wire) ? sum(total, header + 12, 8) : sum(total, header + 8, 32);
	}
	wire_put16(wire, wire->transport + offset, 0);
	wire_put16(wire, wire->transport + offset,
		folded(sum(total, wire->bytes + wire->transport, size)));
}

void wire_finish(struct wire *wire, uint8_t protocol)
{
	size_t size = wire->size - wire->network;

	if (is_ipv4(wire))
		wire_put16(wire, wire->network + 2, (uint16_t)size);
	else
		wire_put16(wire, wire->network + 4, (uint16_t)(size - IPV6_HEADER));
	if (protocol == IPPROTO_UDP)
		wire_put16(wire, wire->transport + 4, (uint16_t)(wire->size - wire->transport));
	sum_transport(wire, protocol);
	if (is_ipv4(wire))
		wire_sum_header(wire);
}

struct wire wire_fragment(const struct wire *whole, uint8_t protocol, uint16_t id, size_t offset,
	size_t size, bool more)
{
	size_t header = is_ipv4(whole) ? IPV4_HEADER : IPV6_HEADER;
	const uint8_t *payload = whole->bytes + whole->network + header;
	struct wire wire = {.network = whole->network, .transport = whole->network + header};

	wire_add(&wire, whole->bytes, whole->network + header);
	if (is_ipv4(whole)) {
		wire_put16(&wire, wire.network + 4, id);
		wire_put16(&wire, wire.network + 6, (uint16_t)(offset / 8 | (more ? 0x2000 : 0)));
	} else {
		wire.bytes[wire.network + 6] = IPPROTO_FRAGMENT;
		wire_add8(&wire, protocol);
		wire_add8(&wire, 0);
		wire_add16(&wire, (uint16_t)(offset | more));
		wire_add32(&wire, id);
	}
	wire.transport = wire.size;
	wire_add(&wire, payload + offset, size);
	wire_finish(&wire, IPPROTO_NONE);
	return wire;
}
