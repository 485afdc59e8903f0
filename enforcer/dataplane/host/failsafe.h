/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports of the node that no policy can cut, so that a mistake in a policy does not lock out whoever
 * has to mend it. After the failsafe ports of Calico's host endpoints; the default list is shorter,
 * because no policy of ours stands between a node and its cluster unless somebody writes it.
 */
#pragma once

#include "base/error.h"
#include "policies/ir.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAILSAFE_MAX      64
#define FAILSAFE_TEXT_MAX ((size_t)FAILSAFE_MAX * 16)

/* SSH and DHCP answers in; DHCP requests and DNS out. */
#define FAILSAFE_DEFAULT "tcp/22,udp/68,udp/546,out:udp/53,out:tcp/53,out:udp/67,out:udp/547"

struct failsafe_port {
	enum direction direction; /* seen from the node */
	uint8_t protocol;         /* IPPROTO_TCP, _UDP, _SCTP */
	uint16_t port;            /* host byte order; the destination's */
};

struct failsafe {
	struct failsafe_port ports[FAILSAFE_MAX];
	size_t count;
};

/* "tcp/22,in:udp/68,out:udp/53"; "none" is the empty list. -EINVAL with what is wrong. */
int failsafe_parse(const char *text, struct failsafe *ret, struct error *error);
/* As failsafe_parse() takes it. Returns text. */
const char *failsafe_format(const struct failsafe *failsafe, char text[static FAILSAFE_TEXT_MAX]);

bool failsafe_covers(
	const struct failsafe *failsafe, enum direction direction, uint8_t protocol, uint16_t port);
