/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/device_layout.h"

#include "base/cleanup.h"
#include "dataplane/nft/chain.h"
#include "dataplane/nft/device_arrival.h"
#include "dataplane/nft/device_discovery.h"
#include "dataplane/nft/device_errors.h"
#include "dataplane/nft/device_rule.h"
#include "dataplane/nft/refusal.h"
#include "dataplane/nft/set.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <net/ethernet.h>

#define DEVICES_MAX 65536

#define ARP_CHAIN "arp-claims" /* "arp" is a word of nft's language */

#define ARP_OPERATION_OFFSET  6
#define ARP_SENDER_MAC_OFFSET 8
#define ARP_SENDER_OFFSET     14
#define ARP_TARGET_OFFSET     24

const enum reason device_reasons[DEVICE_REASONS] = {
	REASON_SPOOFED_MAC,
	REASON_SPOOFED_SOURCE,
	REASON_SPOOFED_ARP,
	REASON_SPOOFED_NEIGHBOUR,
	REASON_ROUTER_ADVERTISEMENT,
	REASON_DHCP_SERVER,
	REASON_MALFORMED,
	REASON_UNSUPPORTED_ETHERTYPE,
	REASON_UNRELATED_ICMP_ERROR,
	REASON_POLICY_DENIED,
};

/* A full set breaks off the rule that adds to it; the next one drops all the same. */
static int write_refusal(struct batch *batch, enum reason reason)
{
	static const struct shape counting = {
		.fields = {FIELD_INTERFACE}, .dynamic = true, .size = DEVICES_MAX};
	const char *name = refusal_reason_name(reason);
	char chain[DEVICE_CHAIN_MAX];
	struct rule rule;
	int r = set_write(batch, name, &counting);

	device_refusal_chain(chain, reason);
	if (!r)
		r = device_chain_write(batch, chain, NULL);
	if (r < 0)
		return r;
	rule_begin(&rule, chain);
	if (reason == REASON_POLICY_DENIED)
		rule_key_interface_out(&rule);
	else
		rule_key_interface(&rule);
	rule_add_counted(&rule, name);
	r = rule_write(&rule, batch, NULL);
	if (r < 0)
		return r;
	rule_begin(&rule, chain);
	return device_rule_end(&rule, batch, NF_DROP);
}

static int write_sets(struct batch *batch)
{
	static const struct {
		const char *name;
		struct shape shape;
	} sets[] = {
		{DEVICE_MACS, {.fields = {FIELD_INTERFACE, FIELD_MAC}}},
		{DEVICE_OWN4, {.fields = {FIELD_INTERFACE, FIELD_MAC, FIELD_IPV4}}},
		{DEVICE_OWN6, {.fields = {FIELD_INTERFACE, FIELD_MAC, FIELD_IPV6}}},
		{DEVICE_CLAIMS, {.fields = {FIELD_INTERFACE, FIELD_MAC, FIELD_IPV6}}},
	};
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(sets); i++)
		r = set_write(batch, sets[i].name, &sets[i].shape);
	for (size_t i = 0; !r && i < DEVICE_REASONS; i++)
		r = write_refusal(batch, device_reasons[i]);
	return r;
}

/* An IP packet whose source is its sender's own. Without the last rule, one whose transport header
 * the kernel cannot find would pass unseen. */
static int write_own(struct batch *batch, bool ipv4)
{
	const char *chain = ipv4 ? "own-ipv4" : "own-ipv6";
	const uint16_t server_be = htons(ipv4 ? 67 : 547);
	const uint8_t udp = IPPROTO_UDP;
	struct rule rule;
	int r = device_chain_write(batch, chain, "its own source address");

	if (!r) {
		rule_begin(&rule, chain);
		rule_protocol(&rule, IPPROTO_TCP);
		r = device_rule_end(&rule, batch, NF_ACCEPT);
	}
	if (!r) { /* conntrack puts them together, and then they are judged */
		rule_begin(&rule, chain);
		rule_later_fragment(&rule, ipv4);
		r = device_rule_end(&rule, batch, NF_ACCEPT);
	}
	if (!r)
		r = device_errors_write_dispatch(batch, chain, ipv4);
	if (!r && ipv4) {
		rule_begin(&rule, chain);
		rule_key_protocol(&rule);
		rule_compare(&rule, NFT_CMP_NEQ, &udp, sizeof(udp));
		r = device_rule_end(&rule, batch, NF_ACCEPT);
	}
	if (!r && !ipv4)
		r = device_discovery_write_dispatch(batch, chain, NULL, NULL);
	if (!r) {
		rule_begin(&rule, chain);
		rule_protocol(&rule, IPPROTO_UDP);
		device_rule_equals(
			&rule, NFT_PAYLOAD_TRANSPORT_HEADER, 0, &server_be, sizeof(server_be));
		r = device_rule_refuse(&rule, batch, REASON_DHCP_SERVER);
	}
	if (!r) {
		const uint8_t none = 255; /* reserved: whatever protocol there is */

		rule_begin(&rule, chain);
		rule_key_protocol(&rule);
		rule_compare(&rule, NFT_CMP_NEQ, &none, sizeof(none));
		r = device_rule_end(&rule, batch, NF_ACCEPT);
	}
	if (r < 0)
		return r;
	rule_begin(&rule, chain);
	return device_rule_refuse(&rule, batch, REASON_MALFORMED);
}

static void key_arp(struct rule *rule, uint32_t address_offset)
{
	rule_key_interface(rule);
	rule_key_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, ARP_SENDER_MAC_OFFSET, ETH_ALEN);
	rule_key_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, address_offset, 4);
	rule_lookup(rule, DEVICE_OWN4);
}

/* Ethernet and IPv4 with their lengths, then a request or a reply (RFC 826). A rule for each field:
 * a comparison of several would be listed as if all had to differ. */
static int write_arp_form(struct batch *batch, const char *chain)
{
	static const struct {
		uint8_t offset, size, bytes[2];
		uint8_t operation; /* enum nft_cmp_ops */
	} fields[] = {
		{0, 2, {0, 1}, NFT_CMP_NEQ},
		{2, 2, {8, 0}, NFT_CMP_NEQ},
		{4, 1, {ETH_ALEN}, NFT_CMP_NEQ},
		{5, 1, {4}, NFT_CMP_NEQ},
		{ARP_OPERATION_OFFSET, 2, {0, 2}, NFT_CMP_GT},
	};
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(fields); i++) {
		struct rule rule;

		rule_begin(&rule, chain);
		rule_ethertype(&rule, ETHERTYPE_ARP);
		rule_key_payload(
			&rule, NFT_PAYLOAD_NETWORK_HEADER, fields[i].offset, fields[i].size);
		rule_compare(&rule, fields[i].operation, fields[i].bytes, fields[i].size);
		r = device_rule_refuse(&rule, batch, REASON_MALFORMED);
	}
	return r;
}

static int write_arp(struct batch *batch)
{
	static const uint8_t nobody[4];
	struct rule rule;
	int r = device_chain_write(batch, ARP_CHAIN, "sender, or target of a probe, is its own");

	if (!r)
		r = write_arp_form(batch, ARP_CHAIN);
	if (!r) {
		rule_begin(&rule, ARP_CHAIN);
		rule_ethertype(&rule, ETHERTYPE_ARP);
		key_arp(&rule, ARP_SENDER_OFFSET);
		r = device_rule_end(&rule, batch, NF_ACCEPT);
	}
	if (!r) {
		rule_begin(&rule, ARP_CHAIN);
		rule_ethertype(&rule, ETHERTYPE_ARP);
		device_rule_equals(&rule, NFT_PAYLOAD_NETWORK_HEADER, ARP_SENDER_OFFSET, nobody,
			sizeof(nobody));
		key_arp(&rule, ARP_TARGET_OFFSET);
		r = device_rule_end(&rule, batch, NF_ACCEPT);
	}
	if (r < 0)
		return r;
	rule_begin(&rule, ARP_CHAIN);
	return device_rule_refuse(&rule, batch, REASON_SPOOFED_ARP);
}

/* A tag is part of what the kernel gives as type here, wherever it keeps it. */
static void match_type(struct rule *rule, uint16_t type)
{
	const uint16_t type_be = htons(type);

	rule_ethernet(rule);
	device_rule_equals(rule, NFT_PAYLOAD_LL_HEADER, 12, &type_be, sizeof(type_be));
}

static int write_own_lookup(struct batch *batch, bool ipv4)
{
	struct rule rule;

	rule_begin(&rule, DEVICE_CHECK);
	match_type(&rule, ipv4 ? ETHERTYPE_IP : ETHERTYPE_IPV6);
	device_rule_key_sender(&rule);
	rule_key_address(&rule, ipv4, RULE_SOURCE);
	rule_lookup(&rule, ipv4 ? DEVICE_OWN4 : DEVICE_OWN6);
	return device_rule_goto(&rule, batch, ipv4 ? "own-ipv4" : "own-ipv6");
}

static int write_check(struct batch *batch, const uint16_t ethertypes[static DATAPLANE_ETHERTYPES])
{
	struct rule rule;
	int r = device_chain_write(batch, DEVICE_CHECK, "only in its own name");

	if (!r)
		r = write_own_lookup(batch, true);
	if (!r)
		r = write_own_lookup(batch, false);
	if (!r) {
		rule_begin(&rule, DEVICE_CHECK);
		rule_ethernet(&rule);
		device_rule_key_sender(&rule);
		rule_lookup_not(&rule, DEVICE_MACS);
		r = device_rule_refuse(&rule, batch, REASON_SPOOFED_MAC);
	}
	if (!r) {
		rule_begin(&rule, DEVICE_CHECK);
		match_type(&rule, ETHERTYPE_ARP);
		r = device_rule_goto(&rule, batch, ARP_CHAIN);
	}
	if (!r) {
		rule_begin(&rule, DEVICE_CHECK);
		match_type(&rule, ETHERTYPE_IPV6);
		r = device_rule_goto(&rule, batch, DEVICE_STRANGER);
	}
	if (!r) {
		rule_begin(&rule, DEVICE_CHECK);
		match_type(&rule, ETHERTYPE_IP);
		r = device_rule_refuse(&rule, batch, REASON_SPOOFED_SOURCE);
	}
	for (size_t i = 0; !r && i < DATAPLANE_ETHERTYPES && ethertypes[i]; i++) {
		rule_begin(&rule, DEVICE_CHECK);
		match_type(&rule, ethertypes[i]);
		r = device_rule_end(&rule, batch, NF_ACCEPT);
	}
	if (r < 0)
		return r;
	rule_begin(&rule, DEVICE_CHECK);
	return device_rule_refuse(&rule, batch, REASON_UNSUPPORTED_ETHERTYPE);
}

/* What is led to comes before what leads there. */
int device_layout_write(struct batch *batch, const uint16_t ethertypes[static DATAPLANE_ETHERTYPES])
{
	int r = write_sets(batch);

	if (!r)
		r = device_discovery_write(batch);
	if (!r)
		r = device_errors_write(batch);
	if (!r)
		r = device_arrival_write(batch);
	if (!r)
		r = write_own(batch, true);
	if (!r)
		r = write_own(batch, false);
	if (!r)
		r = write_arp(batch);
	return r < 0 ? r : write_check(batch, ethertypes);
}
