/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/device_rule.h"

#include "dataplane/nft/chain.h"
#include "dataplane/nft/refusal.h"

#include <linux/netfilter/nf_tables.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdio.h>

int device_chain_write(struct batch *batch, const char *chain, const char *comment)
{
	return chain_write(batch, chain, comment, NULL);
}

void device_refusal_chain(char chain[static DEVICE_CHAIN_MAX], enum reason reason)
{
	snprintf(chain, DEVICE_CHAIN_MAX, "refuse-%s", refusal_reason_name(reason));
}

void device_rule_equals(
	struct rule *rule, uint32_t base, uint32_t offset, const void *bytes, uint32_t size)
{
	rule_key_payload(rule, base, offset, size);
	rule_compare(rule, NFT_CMP_EQ, bytes, size);
}

void device_rule_icmp_types(struct rule *rule, bool ipv4, uint8_t first, uint8_t last)
{
	rule_protocol(rule, ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	if (first == last) {
		device_rule_equals(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 0, &first, sizeof(first));
		return;
	}
	rule_key_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 0, sizeof(first));
	rule_compare(rule, NFT_CMP_GTE, &first, sizeof(first));
	rule_key_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 0, sizeof(last));
	rule_compare(rule, NFT_CMP_LTE, &last, sizeof(last));
}

void device_rule_key_sender(struct rule *rule)
{
	rule_key_interface(rule);
	rule_key_payload(rule, NFT_PAYLOAD_LL_HEADER, ETH_ALEN, ETH_ALEN);
}

int device_rule_end(struct rule *rule, struct batch *batch, int32_t verdict)
{
	rule_verdict(rule, verdict, NULL);
	return rule_write(rule, batch, NULL);
}

int device_rule_goto(struct rule *rule, struct batch *batch, const char *chain)
{
	rule_verdict(rule, NFT_GOTO, chain);
	return rule_write(rule, batch, NULL);
}

int device_rule_refuse(struct rule *rule, struct batch *batch, enum reason reason)
{
	char chain[DEVICE_CHAIN_MAX];

	device_refusal_chain(chain, reason);
	return device_rule_goto(rule, batch, chain);
}
