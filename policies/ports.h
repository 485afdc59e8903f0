/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports as policies write them. */
#pragma once

#include "policies/policy.h"

/* "tcp/5432", "tcp/8000-8100", "udp/dns", "tcp", "icmp/echo-request", "icmp/3/4", "icmpv6/…",
 * "sctp/…". -EINVAL: *ret_problem (owned by the caller) says what is wrong. 0, -ENOMEM. */
int port_parse(const char *text, struct policy_port *ret, char **ret_problem);

/* The same text for the same port, as port_parse() takes it (but several ICMP types at once,
 * "icmp/0-7", no policy can write, and their codes are not told). Owned by the caller; NULL: out of
 * memory, or a protocol that policies have no word for. */
char *port_format(const struct policy_port *port);

/* What is wrong with the name of a port (an IANA service name, RFC 6335, 5.1); NULL if valid. */
const char *port_name_problem(const char *name);

/* "tcp", …; NULL for a protocol that policies have no word for. */
const char *protocol_name(uint8_t protocol);
