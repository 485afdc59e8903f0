/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/protocol.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	uint16_t ethertype;
	uint8_t protocol;
} protocols[] = {
	{"tcp", 0, IPPROTO_TCP},
	{"udp", 0, IPPROTO_UDP},
	{"sctp", 0, IPPROTO_SCTP},
	{"icmp", 0, IPPROTO_ICMP},
	{"icmpv6", 0, IPPROTO_ICMPV6},
	{"arp", ETHERTYPE_ARP, 0},
};

static const char tcp_flag_letters[] = "FSRPAUEC";

const char *protocol_format(
	uint16_t ethertype, uint8_t protocol, char text[static PROTOCOL_TEXT_MAX])
{
	bool ip = protocol_is_ip(ethertype);

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (ip ? !protocols[i].ethertype && protocols[i].protocol == protocol
		       : protocols[i].ethertype == ethertype)
			return protocols[i].name;
	if (ip)
		snprintf(text, PROTOCOL_TEXT_MAX, "%u", protocol);
	else
		snprintf(text, PROTOCOL_TEXT_MAX, "0x%04x", ethertype);
	return text;
}

int protocol_parse(const char *text, uint16_t *ret_ethertype, uint8_t *ret_protocol)
{
	bool hexadecimal = !strncmp(text, "0x", 2);
	unsigned long number;
	char *end;

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (strcasecmp(text, protocols[i].name))
			continue;
		*ret_ethertype = protocols[i].ethertype;
		*ret_protocol = protocols[i].protocol;
		return 0;
	}
	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	number = strtoul(text, &end, hexadecimal ? 16 : 10);
	if (errno || *end || number > (hexadecimal ? UINT16_MAX : UINT8_MAX))
		return -EINVAL;
	*ret_ethertype = hexadecimal ? (uint16_t)number : 0;
	*ret_protocol = hexadecimal ? 0 : (uint8_t)number;
	return 0;
}

const char *tcp_flags_format(uint8_t flags, char text[static TCP_FLAGS_TEXT_MAX])
{
	char *end = text;

	for (unsigned int bit = 0; bit < 8; bit++)
		if (flags & 1U << bit)
			*end++ = tcp_flag_letters[bit];
	*end = '\0';
	return text;
}

int tcp_flags_parse(const char *text, uint8_t *ret)
{
	uint8_t flags = 0;

	for (; *text; text++) {
		const char *letter = strchr(tcp_flag_letters, *text);

		if (!letter)
			return -EINVAL;
		flags |= (uint8_t)(1U << (letter - tcp_flag_letters));
	}
	*ret = flags;
	return 0;
}
