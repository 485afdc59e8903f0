/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Phrases of rules in table netdev segd, over rule.h. Those that write end the rule. */
#pragma once

#include "dataplane/nft/rule.h"
#include "xdp/reasons.h"

#define DEVICE_CHAIN_MAX 48

/* Declares a chain without rules. */
int device_chain_write(struct batch *batch, const char *chain, const char *comment);
/* The chain that counts and drops for this reason. */
void device_refusal_chain(char chain[static DEVICE_CHAIN_MAX], enum reason reason);

/* base: NFT_PAYLOAD_* */
void device_rule_equals(
	struct rule *rule, uint32_t base, uint32_t offset, const void *bytes, uint32_t size);
/* Of ICMP or ICMPv6, in this range. */
void device_rule_icmp_types(struct rule *rule, bool ipv4, uint8_t first, uint8_t last);
/* Interface and source MAC, as the sets have them. */
void device_rule_key_sender(struct rule *rule);

int device_rule_end(struct rule *rule, struct batch *batch, int32_t verdict);
int device_rule_goto(struct rule *rule, struct batch *batch, const char *chain);
int device_rule_refuse(struct rule *rule, struct batch *batch, enum reason reason);
