/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/device_discovery.h"

#include "base/cleanup.h"
#include "dataplane/nft/device_layout.h"
#include "dataplane/nft/device_rule.h"
#include "xdp/packet_kind.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <stddef.h>

#define ADDRESS_BYTES 16
#define SOURCE_OFFSET 8
#define TARGET_OFFSET 8
#define OPTION_BYTES  8
#define MLD_FIRST     130
#define MLD_LAST      132
#define MLD2_REPORT   143
#define LISTENERS     "listeners"
#define DISCOVERY     "discovery"

static const uint8_t nobody[ADDRESS_BYTES];

/* The header before the options: of solicitations of routers, and of those that name a target. */
static const struct {
	const char *chain;
	uint8_t bytes;
} forms[] = {
	{"options-router", 8},
	{"options-target", 24},
};

static const struct {
	uint8_t first, last;
	const char *chain;
} kinds[] = {
	{ND_ROUTER_SOLICIT, ND_REDIRECT, DISCOVERY},
	{MLD_FIRST, MLD_LAST, LISTENERS},
	{MLD2_REPORT, MLD2_REPORT, LISTENERS},
};

int device_discovery_write_passage(struct batch *batch, const char *chain)
{
	struct rule rule;
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(kinds); i++) {
		rule_begin(&rule, chain);
		device_rule_icmp_types(&rule, false, kinds[i].first, kinds[i].last);
		r = device_rule_end(&rule, batch, NF_ACCEPT);
	}
	return r;
}

int device_discovery_write_dispatch(
	struct batch *batch, const char *chain, const void *first, const void *last)
{
	struct rule rule;
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(kinds); i++) {
		rule_begin(&rule, chain);
		if (first) {
			rule_ethertype(&rule, ETHERTYPE_IPV6);
			rule_key_address(&rule, false, RULE_SOURCE);
			rule_compare(&rule, NFT_CMP_GTE, first, ADDRESS_BYTES);
			rule_key_address(&rule, false, RULE_SOURCE);
			rule_compare(&rule, NFT_CMP_LTE, last, ADDRESS_BYTES);
		}
		device_rule_icmp_types(&rule, false, kinds[i].first, kinds[i].last);
		r = device_rule_goto(&rule, batch, kinds[i].chain);
	}
	return r;
}

/* The payload's length: so many bytes of ICMPv6. */
static void match_length(struct rule *rule, uint16_t bytes)
{
	const uint16_t bytes_be = htons(bytes);

	rule_ethertype(rule, ETHERTYPE_IPV6);
	device_rule_equals(rule, NFT_PAYLOAD_NETWORK_HEADER, offsetof(struct ip6_hdr, ip6_plen),
		&bytes_be, sizeof(bytes_be));
}

/* No option; one that names no link-layer address; one that names the sender's. */
static int write_options(struct batch *batch, const char *chain, uint8_t header)
{
	static const uint8_t last_address_option = ND_OPT_TARGET_LINKADDR, one = 1;
	struct rule rule;
	int r = device_chain_write(batch, chain, NULL);

	if (!r) {
		rule_begin(&rule, chain);
		match_length(&rule, header);
		r = device_rule_end(&rule, batch, NF_ACCEPT);
	}
	for (int own = 0; !r && own < 2; own++) {
		rule_begin(&rule, chain);
		match_length(&rule, header + OPTION_BYTES);
		device_rule_equals(
			&rule, NFT_PAYLOAD_TRANSPORT_HEADER, header + 1, &one, sizeof(one));
		rule_key_payload(&rule, NFT_PAYLOAD_TRANSPORT_HEADER, header, 1);
		rule_compare(&rule, own ? NFT_CMP_LTE : NFT_CMP_GT, &last_address_option, 1);
		if (own) {
			rule_key_interface(&rule);
			rule_key_payload(&rule, NFT_PAYLOAD_TRANSPORT_HEADER, header + 2, 6);
			rule_lookup(&rule, DEVICE_MACS);
		}
		r = device_rule_end(&rule, batch, NF_ACCEPT);
	}
	if (r < 0)
		return r;
	rule_begin(&rule, chain);
	return device_rule_refuse(&rule, batch, REASON_SPOOFED_NEIGHBOUR);
}

enum claim {
	CLAIM_NONE,   /* source is unspecified, and nothing else is said */
	CLAIM_SOURCE, /* "I am the source" */
	CLAIM_TARGET, /* "I am the target", or want to be */
};

static int write_message(
	struct batch *batch, uint8_t type, bool from_nobody, enum claim claim, const char *options)
{
	struct rule rule;

	rule_begin(&rule, DISCOVERY);
	rule_ethernet(&rule);
	rule_ethertype(&rule, ETHERTYPE_IPV6);
	device_rule_icmp_types(&rule, false, type, type);
	if (from_nobody)
		device_rule_equals(
			&rule, NFT_PAYLOAD_NETWORK_HEADER, SOURCE_OFFSET, nobody, sizeof(nobody));
	if (claim != CLAIM_NONE) {
		device_rule_key_sender(&rule);
		if (claim == CLAIM_SOURCE)
			rule_key_address(&rule, false, RULE_SOURCE);
		else
			rule_key_payload(
				&rule, NFT_PAYLOAD_TRANSPORT_HEADER, TARGET_OFFSET, ADDRESS_BYTES);
		rule_lookup(&rule, DEVICE_CLAIMS);
	}
	return device_rule_goto(&rule, batch, options);
}

/* What a router has passed on, or would. */
static int write_off_link(struct batch *batch, const char *chain, uint8_t limit)
{
	struct rule rule;

	rule_begin(&rule, chain);
	rule_ethertype(&rule, ETHERTYPE_IPV6);
	rule_key_payload(&rule, NFT_PAYLOAD_NETWORK_HEADER, offsetof(struct ip6_hdr, ip6_hlim),
		sizeof(limit));
	rule_compare(&rule, NFT_CMP_NEQ, &limit, sizeof(limit));
	return device_rule_refuse(&rule, batch, REASON_MALFORMED);
}

static int write_discovery(struct batch *batch)
{
	const char *router = forms[0].chain, *target = forms[1].chain;
	struct rule rule;
	int r = device_chain_write(batch, DISCOVERY, "the truth about itself");

	if (!r)
		r = write_off_link(batch, DISCOVERY, ND_HOP_LIMIT);
	if (!r) {
		rule_begin(&rule, DISCOVERY);
		device_rule_icmp_types(&rule, false, ND_ROUTER_ADVERT, ND_ROUTER_ADVERT);
		r = device_rule_refuse(&rule, batch, REASON_ROUTER_ADVERTISEMENT);
	}
	if (!r)
		r = write_message(batch, ND_NEIGHBOR_ADVERT, false, CLAIM_TARGET, target);
	if (!r)
		r = write_message(batch, ND_NEIGHBOR_SOLICIT, true, CLAIM_TARGET, target);
	if (!r)
		r = write_message(batch, ND_NEIGHBOR_SOLICIT, false, CLAIM_SOURCE, target);
	if (!r)
		r = write_message(batch, ND_ROUTER_SOLICIT, true, CLAIM_NONE, router);
	if (!r)
		r = write_message(batch, ND_ROUTER_SOLICIT, false, CLAIM_SOURCE, router);
	if (r < 0)
		return r;
	rule_begin(&rule, DISCOVERY);
	return device_rule_refuse(&rule, batch, REASON_SPOOFED_NEIGHBOUR);
}

/* Before an interface has a global address it speaks from none or from a link-local one. */
static int write_stranger(struct batch *batch)
{
	static const uint8_t first[ADDRESS_BYTES] = {0xfe, 0x80};
	static const uint8_t last[ADDRESS_BYTES] = {0xfe, 0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct rule rule;
	int r = device_chain_write(batch, DEVICE_STRANGER, "only discovery, from :: or fe80::/10");

	if (!r) {
		rule_begin(&rule, DEVICE_STRANGER);
		rule_later_fragment(&rule, false);
		r = device_rule_refuse(&rule, batch, REASON_SPOOFED_SOURCE);
	}
	if (!r)
		r = device_discovery_write_dispatch(batch, DEVICE_STRANGER, nobody, nobody);
	if (!r)
		r = device_discovery_write_dispatch(batch, DEVICE_STRANGER, first, last);
	if (r < 0)
		return r;
	rule_begin(&rule, DEVICE_STRANGER);
	return device_rule_refuse(&rule, batch, REASON_SPOOFED_SOURCE);
}

/* They claim nothing, and are sent to groups alone (RFC 3810, 5). */
static int write_listeners(struct batch *batch)
{
	static const uint8_t first_group[ADDRESS_BYTES] = {0xff};
	struct rule rule;
	int r = device_chain_write(batch, LISTENERS, "listener discovery, to groups on the link");

	if (!r)
		r = write_off_link(batch, LISTENERS, MLD_HOP_LIMIT);
	if (!r) {
		rule_begin(&rule, LISTENERS);
		rule_ethertype(&rule, ETHERTYPE_IPV6);
		rule_key_address(&rule, false, RULE_DESTINATION);
		rule_compare(&rule, NFT_CMP_LT, first_group, sizeof(first_group));
		r = device_rule_refuse(&rule, batch, REASON_MALFORMED);
	}
	if (r < 0)
		return r;
	rule_begin(&rule, LISTENERS);
	return device_rule_end(&rule, batch, NF_ACCEPT);
}

int device_discovery_write(struct batch *batch)
{
	int r = write_listeners(batch);

	for (size_t i = 0; !r && i < ARRAY_SIZE(forms); i++)
		r = write_options(batch, forms[i].chain, forms[i].bytes);
	if (!r)
		r = write_discovery(batch);
	return r < 0 ? r : write_stranger(batch);
}
