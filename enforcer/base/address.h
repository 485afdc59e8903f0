/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPv4 and IPv6 addresses as one type: 16 bytes in network order, an IPv4 address in its mapped
 * form ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). Code above the packet parser never asks for the family
 * unless it prints or counts it. Real IPv6 packets with mapped addresses are refused on the wire.
 */
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct address {
	uint8_t bytes[16];
};

/* length counts from the 128-bit form: 10.0.0.0/8 has length 104. Bits behind it are zero. */
struct prefix {
	struct address address;
	uint8_t length;
};

#define ADDRESS_TEXT_MAX 46 /* as INET6_ADDRSTRLEN */
#define PREFIX_TEXT_MAX  50

/* What an IPv4 address begins with. */
static const uint8_t address_ipv4_mapped[12] = {[10] = 0xff, [11] = 0xff};

/* Inline, since they are asked a dozen times for each flow event. */
static inline bool address_is_ipv4(const struct address *address)
{
	return !memcmp(address->bytes, address_ipv4_mapped, sizeof(address_ipv4_mapped));
}

static inline bool address_equal(const struct address *a, const struct address *b)
{
	return !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

/* Negative, 0 or positive, in the order of their bytes. */
static inline int address_compare(const struct address *a, const struct address *b)
{
	uint64_t first, second;

	for (size_t i = 0; i < sizeof(a->bytes); i += sizeof(first)) {
		memcpy(&first, a->bytes + i, sizeof(first));
		memcpy(&second, b->bytes + i, sizeof(second));
		if (first != second)
			return be64toh(first) < be64toh(second) ? -1 : 1;
	}
	return 0;
}

/* From 4 or 16 bytes in network order. */
struct address address_from_ipv4(const void *bytes);
struct address address_from_ipv6(const void *bytes);

/* -EINVAL unless text is exactly one address in its usual notation ("::ffff:1.2.3.4" is refused).
 */
int address_parse(const char *text, struct address *ret);
const char *address_format(const struct address *address, char text[static ADDRESS_TEXT_MAX]);

/* "10.0.0.0/8", "2001:db8::/32"; a bare address is not a prefix. -EINVAL: no CIDR; -ERANGE: bits
 * are set behind the length (*ret then holds the prefix with these bits cleared). */
int prefix_parse(const char *text, struct prefix *ret);
const char *prefix_format(const struct prefix *prefix, char text[static PREFIX_TEXT_MAX]);
bool prefix_is_ipv4(const struct prefix *prefix);
bool prefix_contains(const struct prefix *prefix, const struct address *address);
/* True also where both are the same. */
bool prefix_covers(const struct prefix *outer, const struct prefix *inner);
/* By address, then shorter first. */
int prefix_compare(const struct prefix *a, const struct prefix *b);
