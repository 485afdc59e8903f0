/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/device_errors.h"

#include "base/cleanup.h"
#include "dataplane/nft/device_layout.h"
#include "dataplane/nft/device_rule.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#define ICMP_HEADER       8
#define ICMPV6_ERROR_LAST 127 /* RFC 4443, 2.1 */

/* Of the packet that an error carries, from the error's own header on. */
static const uint32_t carried_destination[2] = {ICMP_HEADER + 24, ICMP_HEADER + 16};

static const char *chain_name(bool ipv4)
{
	return ipv4 ? "errors-ipv4" : "errors-ipv6";
}

int device_errors_write_dispatch(struct batch *batch, const char *chain, bool ipv4)
{
	static const struct {
		uint8_t first, last;
	} types[2][3] = {
		{{0, ICMPV6_ERROR_LAST}},
		{{ICMP_DEST_UNREACH, ICMP_REDIRECT}, {ICMP_TIME_EXCEEDED, ICMP_PARAMETERPROB}},
	};
	int r = 0;

	for (size_t i = 0; !r && i < 2 && types[ipv4][i].last; i++) {
		struct rule rule;

		rule_begin(&rule, chain);
		device_rule_icmp_types(&rule, ipv4, types[ipv4][i].first, types[ipv4][i].last);
		r = device_rule_goto(&rule, batch, chain_name(ipv4));
	}
	return r;
}

static int write_chain(struct batch *batch, bool ipv4)
{
	static const uint8_t redirect = ICMP_REDIRECT;
	struct rule rule;
	int r = device_chain_write(batch, chain_name(ipv4), "about what was sent to it");

	if (!r && ipv4) { /* that of IPv6 is discovery */
		rule_begin(&rule, chain_name(ipv4));
		device_rule_icmp_types(&rule, ipv4, redirect, redirect);
		r = device_rule_refuse(&rule, batch, REASON_UNRELATED_ICMP_ERROR);
	}
	if (!r) {
		rule_begin(&rule, chain_name(ipv4));
		rule_ethernet(&rule);
		device_rule_key_sender(&rule);
		rule_key_transport(&rule, carried_destination[ipv4], ipv4 ? 4 : 16);
		rule_lookup(&rule, ipv4 ? DEVICE_OWN4 : DEVICE_OWN6);
		r = device_rule_end(&rule, batch, NF_ACCEPT);
	}
	if (r < 0)
		return r;
	rule_begin(&rule, chain_name(ipv4));
	return device_rule_refuse(&rule, batch, REASON_UNRELATED_ICMP_ERROR);
}

int device_errors_write(struct batch *batch)
{
	int r = write_chain(batch, true);

	return r < 0 ? r : write_chain(batch, false);
}
