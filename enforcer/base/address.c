/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IPV4_PREFIX_BASE 96

struct address address_from_ipv4(const void *bytes)
{
	struct address address;

	memcpy(address.bytes, address_ipv4_mapped, sizeof(address_ipv4_mapped));
	memcpy(address.bytes + sizeof(address_ipv4_mapped), bytes, 4);
	return address;
}

struct address address_from_ipv6(const void *bytes)
{
	struct address address;

	memcpy(address.bytes, bytes, sizeof(address.bytes));
	return address;
}

int address_parse(const char *text, struct address *ret)
{
	struct address address;
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1) {
		*ret = address_from_ipv4(bytes);
		return 0;
	}
	if (inet_pton(AF_INET6, text, bytes) != 1)
		return -EINVAL;
	address = address_from_ipv6(bytes);
	if (address_is_ipv4(&address))
		return -EINVAL;
	*ret = address;
	return 0;
}

const char *address_format(const struct address *address, char text[static ADDRESS_TEXT_MAX])
{
	if (address_is_ipv4(address))
		inet_ntop(AF_INET, address->bytes + sizeof(address_ipv4_mapped), text,
			ADDRESS_TEXT_MAX);
	else
		inet_ntop(AF_INET6, address->bytes, text, ADDRESS_TEXT_MAX);
	return text;
}

static uint8_t prefix_byte_mask(unsigned int length, unsigned int index)
{
	if (length >= (index + 1) * 8)
		return 0xff;
	if (length <= index * 8)
		return 0;
	return (uint8_t)(0xff << (8 - (length - index * 8)));
}

int prefix_parse(const char *text, struct prefix *ret)
{
	char address_text[ADDRESS_TEXT_MAX];
	const char *slash = strchr(text, '/');
	struct prefix prefix;
	unsigned int length, base;
	bool host_bits = false;

	if (!slash || (size_t)(slash - text) >= sizeof(address_text))
		return -EINVAL;
	memcpy(address_text, text, (size_t)(slash - text));
	address_text[slash - text] = '\0';
	if (address_parse(address_text, &prefix.address) < 0)
		return -EINVAL;
	/* One to three digits, no sign, no leading zero. */
	if (!slash[1] || strspn(slash + 1, "0123456789") != strlen(slash + 1) ||
		strlen(slash + 1) > 3 || (slash[1] == '0' && slash[2]))
		return -EINVAL;
	length = (unsigned int)strtoul(slash + 1, NULL, 10);
	base = address_is_ipv4(&prefix.address) ? IPV4_PREFIX_BASE : 0;
	if (length > 128 - base)
		return -EINVAL;
	prefix.length = (uint8_t)(base + length);
	for (unsigned int i = 0; i < sizeof(prefix.address.bytes); i++) {
		uint8_t mask = prefix_byte_mask(prefix.length, i);

		host_bits |= prefix.address.bytes[i] & (uint8_t)~mask;
		prefix.address.bytes[i] &= mask;
	}
	*ret = prefix;
	return host_bits ? -ERANGE : 0;
}

bool prefix_is_ipv4(const struct prefix *prefix)
{
	return prefix->length >= IPV4_PREFIX_BASE && address_is_ipv4(&prefix->address);
}

const char *prefix_format(const struct prefix *prefix, char text[static PREFIX_TEXT_MAX])
{
	char address_text[ADDRESS_TEXT_MAX];
	unsigned int base = prefix_is_ipv4(prefix) ? IPV4_PREFIX_BASE : 0;

	snprintf(text, PREFIX_TEXT_MAX, "%s/%u", address_format(&prefix->address, address_text),
		prefix->length - base);
	return text;
}

bool prefix_contains(const struct prefix *prefix, const struct address *address)
{
	/* ::/0 must not swallow IPv4: the mapped form is a notation, not a part of IPv6. */
	if (address_is_ipv4(address) != prefix_is_ipv4(prefix))
		return false;
	for (unsigned int i = 0; i < sizeof(address->bytes); i++) {
		uint8_t mask = prefix_byte_mask(prefix->length, i);

		if ((address->bytes[i] & mask) != prefix->address.bytes[i])
			return false;
	}
	return true;
}

bool prefix_covers(const struct prefix *outer, const struct prefix *inner)
{
	return prefix_is_ipv4(outer) == prefix_is_ipv4(inner) && outer->length <= inner->length &&
	       prefix_contains(outer, &inner->address);
}

int prefix_compare(const struct prefix *a, const struct prefix *b)
{
	int order = address_compare(&a->address, &b->address);

	return order ? order : (int)a->length - (int)b->length;
}
