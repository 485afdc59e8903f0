/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/rule.h"

#include "dataplane/nft/comment.h"

#include <endian.h>
#include <errno.h>
#include <libnftnl/expr.h>
#include <linux/if_arp.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Enough of a refused packet to read addresses, ports and TCP flags behind a few options. */
#define LOG_BYTES 128

#define TCP_FLAGS_OFFSET 13

void rule_begin(struct rule *rule, const char *chain)
{
	*rule = (struct rule){.nftnl = nftnl_rule_alloc()};
	snprintf(rule->chain, sizeof(rule->chain), "%s", chain);
	rule->failed = !rule->nftnl;
	if (rule->failed)
		return;
	rule->failed |= nftnl_rule_set_str(rule->nftnl, NFTNL_RULE_CHAIN, chain) < 0;
}

/* NULL once anything has failed: the sentence is lost anyway. */
static struct nftnl_expr *add(struct rule *rule, const char *name)
{
	struct nftnl_expr *expression = rule->failed ? NULL : nftnl_expr_alloc(name);

	if (expression)
		nftnl_rule_add_expr(rule->nftnl, expression);
	else
		rule->failed = true;
	return expression;
}

static void set_text(
	struct rule *rule, struct nftnl_expr *expression, uint16_t attribute, const char *text)
{
	if (nftnl_expr_set_str(expression, attribute, text) < 0)
		rule->failed = true;
}

/* nft reads a 128-bit register where a field starts at one, and a 32-bit register elsewhere. */
static uint32_t take_register(struct rule *rule, uint32_t bytes)
{
	unsigned int word = rule->word;

	rule->word += (bytes + 3) / 4;
	return word % 4 ? NFT_REG32_00 + word : NFT_REG_1 + word / 4;
}

static void load_meta(struct rule *rule, uint32_t key, uint32_t bytes)
{
	struct nftnl_expr *expression = add(rule, "meta");

	if (!expression)
		return;
	nftnl_expr_set_u32(expression, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_META_DREG, take_register(rule, bytes));
}

void rule_key_payload(struct rule *rule, uint32_t base, uint32_t offset, uint32_t length)
{
	struct nftnl_expr *expression = add(rule, "payload");

	if (!expression)
		return;
	nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_LEN, length);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_DREG, take_register(rule, length));
}

void rule_bitwise(struct rule *rule, const void *and, const void * xor, uint32_t size)
{
	struct nftnl_expr *expression = add(rule, "bitwise");

	if (!expression)
		return;
	nftnl_expr_set_u32(expression, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_BITWISE_LEN, size);
	nftnl_expr_set(expression, NFTNL_EXPR_BITWISE_MASK, and, size);
	nftnl_expr_set(expression, NFTNL_EXPR_BITWISE_XOR, xor, size);
}

static void mask(struct rule *rule, const void *bits, uint32_t size)
{
	static const uint32_t zero;

	rule_bitwise(rule, bits, &zero, size);
}

void rule_compare(struct rule *rule, uint32_t operation, const void *bytes, uint32_t size)
{
	struct nftnl_expr *expression = add(rule, "cmp");

	rule->word = 0;
	if (!expression)
		return;
	nftnl_expr_set_u32(expression, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_CMP_OP, operation);
	nftnl_expr_set(expression, NFTNL_EXPR_CMP_DATA, bytes, size);
}

void rule_family(struct rule *rule, bool ipv4)
{
	uint8_t family = ipv4 ? NFPROTO_IPV4 : NFPROTO_IPV6;

	load_meta(rule, NFT_META_NFPROTO, sizeof(family));
	rule_compare(rule, NFT_CMP_EQ, &family, sizeof(family));
}

void rule_ethernet(struct rule *rule)
{
	const uint16_t type = ARPHRD_ETHER;

	load_meta(rule, NFT_META_IIFTYPE, sizeof(type));
	rule_compare(rule, NFT_CMP_EQ, &type, sizeof(type));
}

void rule_ethertype(struct rule *rule, uint16_t type)
{
	uint16_t type_be = htons(type);

	load_meta(rule, NFT_META_PROTOCOL, sizeof(type_be));
	rule_compare(rule, NFT_CMP_EQ, &type_be, sizeof(type_be));
}

void rule_protocol(struct rule *rule, uint8_t protocol)
{
	load_meta(rule, NFT_META_L4PROTO, sizeof(protocol));
	rule_compare(rule, NFT_CMP_EQ, &protocol, sizeof(protocol));
}

void rule_protocol_in(struct rule *rule, const char *set)
{
	rule_key_protocol(rule);
	rule_lookup(rule, set);
}

static void load_ct(struct rule *rule, uint32_t key, uint32_t bytes)
{
	struct nftnl_expr *expression = add(rule, "ct");

	if (!expression)
		return;
	nftnl_expr_set_u32(expression, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_CT_DREG, take_register(rule, bytes));
}

void rule_ct_state(struct rule *rule, uint32_t states)
{
	static const uint32_t zero;

	load_ct(rule, NFT_CT_STATE, sizeof(states));
	mask(rule, &states, sizeof(states));
	rule_compare(rule, NFT_CMP_NEQ, &zero, sizeof(zero));
}

/* What is compared by size must be in network order. */
static void to_network_order(struct rule *rule, uint32_t size)
{
	struct nftnl_expr *expression = add(rule, "byteorder");

	if (!expression)
		return;
	nftnl_expr_set_u32(expression, NFTNL_EXPR_BYTEORDER_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_BYTEORDER_DREG, NFT_REG_1);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_BYTEORDER_LEN, size);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_BYTEORDER_SIZE, size);
}

void rule_longer(struct rule *rule, uint32_t bytes)
{
	const uint32_t bytes_be = htonl(bytes);

	load_meta(rule, NFT_META_LEN, sizeof(bytes_be));
	to_network_order(rule, sizeof(bytes_be));
	rule_compare(rule, NFT_CMP_GT, &bytes_be, sizeof(bytes_be));
}

void rule_ct_packets_under(struct rule *rule, uint64_t packets)
{
	const uint64_t packets_be = htobe64(packets);

	load_ct(rule, NFT_CT_PKTS, sizeof(packets_be));
	to_network_order(rule, sizeof(packets_be));
	rule_compare(rule, NFT_CMP_LT, &packets_be, sizeof(packets_be));
}

void rule_ct_reply(struct rule *rule)
{
	const uint8_t reply = IP_CT_DIR_REPLY;

	load_ct(rule, NFT_CT_DIRECTION, sizeof(reply));
	rule_compare(rule, NFT_CMP_EQ, &reply, sizeof(reply));
}

void rule_later_fragment(struct rule *rule, bool ipv4)
{
	static const uint32_t zero;
	const uint16_t offset_be = htons(ipv4 ? IP_OFFMASK : 0xfff8);

	rule_ethertype(rule, ipv4 ? ETHERTYPE_IP : ETHERTYPE_IPV6);
	if (ipv4) {
		rule_key_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, offsetof(struct iphdr, frag_off),
			sizeof(offset_be));
	} else {
		struct nftnl_expr *expression = add(rule, "exthdr");

		if (!expression)
			return;
		nftnl_expr_set_u32(expression, NFTNL_EXPR_EXTHDR_TYPE, IPPROTO_FRAGMENT);
		nftnl_expr_set_u32(expression, NFTNL_EXPR_EXTHDR_OFFSET,
			offsetof(struct ip6_frag, ip6f_offlg));
		nftnl_expr_set_u32(expression, NFTNL_EXPR_EXTHDR_LEN, sizeof(offset_be));
		nftnl_expr_set_u32(
			expression, NFTNL_EXPR_EXTHDR_DREG, take_register(rule, sizeof(offset_be)));
	}
	mask(rule, &offset_be, sizeof(offset_be));
	rule_compare(rule, NFT_CMP_NEQ, &zero, sizeof(offset_be));
}

static void compare_tcp_flags(
	struct rule *rule, uint8_t looked_at, uint32_t operation, uint8_t wanted)
{
	rule_protocol(rule, IPPROTO_TCP);
	rule_key_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS_OFFSET, sizeof(looked_at));
	mask(rule, &looked_at, sizeof(looked_at));
	rule_compare(rule, operation, &wanted, sizeof(wanted));
}

void rule_tcp_pure_syn(struct rule *rule, bool is)
{
	compare_tcp_flags(
		rule, TH_FIN | TH_SYN | TH_RST | TH_ACK, is ? NFT_CMP_EQ : NFT_CMP_NEQ, TH_SYN);
}

void rule_tcp_goes_on(struct rule *rule)
{
	compare_tcp_flags(rule, TH_SYN | TH_ACK | TH_RST, NFT_CMP_EQ, TH_ACK);
}

void rule_tcp_reset(struct rule *rule)
{
	compare_tcp_flags(rule, TH_RST, NFT_CMP_EQ, TH_RST);
}

void rule_sctp_chunk(struct rule *rule, uint8_t type, bool present)
{
	struct nftnl_expr *expression = add(rule, "exthdr");
	const uint8_t is_there = present;

	if (!expression)
		return;
	nftnl_expr_set_u32(expression, NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_SCTP);
	nftnl_expr_set_u8(expression, NFTNL_EXPR_EXTHDR_TYPE, type);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_EXTHDR_OFFSET, 0);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_EXTHDR_LEN, 1);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_EXTHDR_FLAGS, NFT_EXTHDR_F_PRESENT);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_EXTHDR_DREG, take_register(rule, 1));
	rule_compare(rule, NFT_CMP_EQ, &is_there, sizeof(is_there));
}

void rule_limit_under(struct rule *rule, uint64_t packets_per_second)
{
	struct nftnl_expr *expression = add(rule, "limit");

	if (!expression)
		return;
	nftnl_expr_set_u64(expression, NFTNL_EXPR_LIMIT_RATE, packets_per_second);
	nftnl_expr_set_u64(expression, NFTNL_EXPR_LIMIT_UNIT, 1);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_LIMIT_BURST, (uint32_t)packets_per_second);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
}

void rule_key_address(struct rule *rule, bool ipv4, enum rule_side side)
{
	static const uint32_t offset[2][2] = {{8, 24}, {12, 16}};

	rule_key_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, offset[ipv4][side], ipv4 ? 4 : 16);
}

void rule_key_interface(struct rule *rule)
{
	load_meta(rule, NFT_META_IIF, sizeof(uint32_t));
}

void rule_key_outgoing(struct rule *rule)
{
	load_meta(rule, NFT_META_OIF, sizeof(uint32_t));
}

void rule_key_family(struct rule *rule)
{
	load_meta(rule, NFT_META_NFPROTO, 1);
}

void rule_key_interface_out(struct rule *rule)
{
	load_meta(rule, NFT_META_OIF, sizeof(uint32_t));
}

void rule_key_mark(struct rule *rule)
{
	load_meta(rule, NFT_META_MARK, sizeof(uint32_t));
}

void rule_key_protocol(struct rule *rule)
{
	load_meta(rule, NFT_META_L4PROTO, 1);
}

void rule_key_transport(struct rule *rule, uint32_t offset, uint32_t length)
{
	rule_key_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, offset, length);
}

static struct nftnl_expr *lookup(struct rule *rule, const char *set)
{
	struct nftnl_expr *expression = add(rule, "lookup");

	rule->word = 0;
	if (!expression)
		return NULL;
	nftnl_expr_set_u32(expression, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	set_text(rule, expression, NFTNL_EXPR_LOOKUP_SET, set);
	return expression;
}

void rule_lookup(struct rule *rule, const char *set)
{
	(void)lookup(rule, set);
}

void rule_lookup_not(struct rule *rule, const char *set)
{
	struct nftnl_expr *expression = lookup(rule, set);

	if (expression)
		nftnl_expr_set_u32(expression, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

void rule_lookup_verdict(struct rule *rule, const char *map)
{
	struct nftnl_expr *expression = lookup(rule, map);

	if (expression)
		nftnl_expr_set_u32(expression, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
}

void rule_add_counted(struct rule *rule, const char *set)
{
	struct nftnl_expr *expression = add(rule, "dynset"), *counter;

	rule->word = 0;
	if (!expression)
		return;
	nftnl_expr_set_u32(expression, NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG_1);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_ADD);
	set_text(rule, expression, NFTNL_EXPR_DYNSET_SET_NAME, set);
	counter = nftnl_expr_alloc("counter");
	if (counter)
		nftnl_expr_add_expr(expression, NFTNL_EXPR_DYNSET_EXPRESSIONS, counter);
	else
		rule->failed = true;
}

void rule_store_payload(struct rule *rule, uint32_t base, uint32_t offset, uint32_t length)
{
	struct nftnl_expr *expression = add(rule, "payload");

	rule->word = 0;
	if (!expression)
		return;
	nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_LEN, length);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_SREG, NFT_REG_1);
}

void rule_counter(struct rule *rule, const char *name)
{
	struct nftnl_expr *expression = add(rule, "objref");

	if (!expression)
		return;
	nftnl_expr_set_u32(expression, NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
	set_text(rule, expression, NFTNL_EXPR_OBJREF_IMM_NAME, name);
}

void rule_log(struct rule *rule, uint16_t group, const char *prefix)
{
	rule_log_bytes(rule, group, prefix, LOG_BYTES);
}

void rule_log_bytes(struct rule *rule, uint16_t group, const char *prefix, uint32_t bytes)
{
	struct nftnl_expr *expression = add(rule, "log");

	if (!expression)
		return;
	set_text(rule, expression, NFTNL_EXPR_LOG_PREFIX, prefix);
	nftnl_expr_set_u16(expression, NFTNL_EXPR_LOG_GROUP, group);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_LOG_SNAPLEN, bytes);
}

void rule_reject(struct rule *rule, bool tcp_reset)
{
	struct nftnl_expr *expression = add(rule, "reject");

	if (!expression)
		return;
	nftnl_expr_set_u32(expression, NFTNL_EXPR_REJECT_TYPE,
		tcp_reset ? NFT_REJECT_TCP_RST : NFT_REJECT_ICMPX_UNREACH);
	nftnl_expr_set_u8(expression, NFTNL_EXPR_REJECT_CODE,
		tcp_reset ? 0 : NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
}

void rule_verdict(struct rule *rule, int32_t code, const char *chain)
{
	struct nftnl_expr *expression = add(rule, "immediate");

	if (!expression)
		return;
	nftnl_expr_set_u32(expression, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_IMM_VERDICT, (uint32_t)code);
	if (chain)
		set_text(rule, expression, NFTNL_EXPR_IMM_CHAIN, chain);
}

int rule_write(struct rule *rule, struct batch *batch, const char *comment)
{
	struct nlmsghdr *message = NULL;
	struct comment text;

	if (!rule->failed && comment) {
		comment_encode(&text, NFTNL_UDATA_RULE_COMMENT, comment);
		rule->failed |= nftnl_rule_set_data(rule->nftnl, NFTNL_RULE_USERDATA, text.bytes,
					text.size) < 0;
	}
	if (!rule->failed)
		rule->failed |=
			nftnl_rule_set_str(rule->nftnl, NFTNL_RULE_TABLE, batch_table(batch)) < 0;
	if (!rule->failed)
		message = batch_message(batch, NFT_MSG_NEWRULE, BATCH_FAMILY,
			NLM_F_CREATE | NLM_F_APPEND, "rule of chain %s", rule->chain);
	if (message) {
		nftnl_rule_nlmsg_build_payload(message, rule->nftnl);
		batch_message_done(batch);
	}
	if (rule->nftnl)
		nftnl_rule_free(rule->nftnl);
	rule->nftnl = NULL;
	return message ? 0 : -ENOMEM;
}
