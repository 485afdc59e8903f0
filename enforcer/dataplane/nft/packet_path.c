/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/packet_path.h"

#include "dataplane/nft/chain.h"
#include "dataplane/nft/layout.h"
#include "dataplane/nft/refusal.h"
#include "dataplane/nft/rule.h"
#include "xdp/client_port.h"
#include "xdp/packet_kind.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/in.h>
#include <netinet/ip6.h>
#include <stddef.h>

#define PRIORITY            (-10) /* before "filter", behind destination NAT */
#define ADOPTION_LOGS_PER_S 5000

/* Chunks (RFC 9260, 3.2). */
#define SCTP_INIT      1
#define SCTP_HEARTBEAT 4

static int write_strays(
	struct batch *batch, const char *chain, const char *comment, const char *refusal)
{
	struct rule rule;
	int r = chain_write(batch, chain, comment, NULL);

	for (int i = 0; !r && i < 4; i++) {
		bool ipv4 = i < 2;

		rule_begin(&rule, chain);
		rule_family(&rule, ipv4);
		rule_key_address(&rule, ipv4, i % 2 ? RULE_DESTINATION : RULE_SOURCE);
		rule_lookup(&rule, layout_adopting(ipv4));
		rule_verdict(&rule, NFT_GOTO, "adopt");
		r = rule_write(&rule, batch, NULL);
	}
	if (r < 0)
		return r;
	rule_begin(&rule, chain);
	rule_verdict(&rule, NFT_GOTO, refusal);
	return rule_write(&rule, batch, NULL);
}

int packet_path_write_mid_stream(struct batch *batch, uint16_t nflog_group)
{
	struct rule rule;
	int r = chain_write(batch, "adopt", "the agent decides and seeds conntrack", NULL);

	if (!r) {
		rule_begin(&rule, "adopt");
		rule_limit_under(&rule, ADOPTION_LOGS_PER_S);
		rule_log(&rule, nflog_group, REFUSAL_LOG_WORD " " REFUSAL_LOG_ADOPT);
		rule_verdict(&rule, NF_DROP, NULL);
		r = rule_write(&rule, batch, NULL);
	}
	if (!r) {
		rule_begin(&rule, "adopt");
		rule_verdict(&rule, NF_DROP, NULL);
		r = rule_write(&rule, batch, NULL);
	}
	if (!r)
		r = write_strays(batch, "mid-stream", "TCP that no connection knows",
			"refuse-no-connection");
	return r ? r
		 : write_strays(batch, "invalid-mid-stream",
			   "where conntrack takes nothing in by itself (tcp_loose)",
			   "refuse-invalid");
}

static int write_dispatch(
	struct batch *batch, const char *chain, enum direction direction, bool ipv4)
{
	struct rule rule;

	rule_begin(&rule, chain);
	rule_family(&rule, ipv4);
	rule_key_address(
		&rule, ipv4, direction == DIRECTION_EGRESS ? RULE_SOURCE : RULE_DESTINATION);
	rule_lookup_verdict(&rule, layout_dispatch_map(direction, ipv4));
	return rule_write(&rule, batch, NULL);
}

/* What conntrack takes for the first packet of a connection, and may not be one. What the node
 * keeps from conntrack, as for a DNS cache of its own, belongs to none that anybody could know, and
 * each packet of that is judged as if it were the first. */
static void begin_stray(struct rule *rule, const char *chain)
{
	rule_begin(rule, chain);
	rule_ct_state(rule, NF_CT_STATE_BIT(IP_CT_NEW) | NF_CT_STATE_BIT(IP_CT_RELATED));
}

/* Conntrack takes some chunks for the first one of an association, as the answer to a HEARTBEAT. An
 * INIT is, and a HEARTBEAT may be, but not where the ports say that it is the server's
 * (parse_sctp() in transport.bpf.h). */
static int write_sctp_state(struct batch *batch, const char *chain)
{
	const uint16_t first_be = htons(CLIENT_PORT_FIRST);
	struct rule rule;
	int r;

	begin_stray(&rule, chain);
	rule_protocol(&rule, IPPROTO_SCTP);
	rule_sctp_chunk(&rule, SCTP_INIT, false);
	rule_sctp_chunk(&rule, SCTP_HEARTBEAT, false);
	rule_verdict(&rule, NFT_GOTO, "refuse-no-connection");
	r = rule_write(&rule, batch, "no association knows it");
	if (r < 0)
		return r;
	begin_stray(&rule, chain);
	rule_sctp_chunk(&rule, SCTP_HEARTBEAT, true);
	rule_protocol(&rule, IPPROTO_SCTP); /* so that nft lists ports */
	rule_key_transport(&rule, 0, sizeof(first_be));
	rule_compare(&rule, NFT_CMP_LT, &first_be, sizeof(first_be));
	rule_key_transport(&rule, 2, sizeof(first_be));
	rule_compare(&rule, NFT_CMP_GTE, &first_be, sizeof(first_be));
	rule_verdict(&rule, NFT_GOTO, "refuse-no-connection");
	return rule_write(&rule, batch, "a server opens no association");
}

int packet_path_write_state(struct batch *batch, const char *chain)
{
	struct rule rule;
	int r;

	rule_begin(&rule, chain);
	rule_ct_state(&rule, NF_CT_STATE_INVALID_BIT);
	rule_tcp_goes_on(&rule);
	rule_verdict(&rule, NFT_GOTO, "invalid-mid-stream");
	r = rule_write(&rule, batch, NULL);
	if (r < 0)
		return r;
	rule_begin(&rule, chain);
	rule_ct_state(&rule, NF_CT_STATE_INVALID_BIT);
	rule_verdict(&rule, NFT_GOTO, "refuse-invalid");
	r = rule_write(&rule, batch, NULL);
	if (r < 0)
		return r;
	begin_stray(&rule, chain);
	rule_tcp_pure_syn(&rule, false);
	rule_verdict(&rule, NFT_GOTO, "mid-stream");
	r = rule_write(&rule, batch, NULL);
	return r ? r : write_sctp_state(batch, chain);
}

static int write_self(struct batch *batch, const char *chain)
{
	struct rule rule;
	int r = 0;

	for (int ipv4 = 1; !r && ipv4 >= 0; ipv4--) {
		rule_begin(&rule, chain);
		rule_family(&rule, ipv4);
		rule_key_address(&rule, ipv4, RULE_SOURCE);
		rule_key_address(&rule, ipv4, RULE_DESTINATION);
		rule_lookup(&rule, layout_self(ipv4));
		rule_verdict(&rule, NF_ACCEPT, NULL);
		r = rule_write(&rule, batch, "a workload reaches itself");
	}
	return r;
}

/*
 * A workload is at one end of what the node itself gets or sends, and at which is known: asking for
 * the other end, too, would have the kernel look for loops through twice as many maps, for each
 * hook anew, whenever a workload comes.
 */
struct way {
	const char *name; /* of the base chain */
	uint32_t hook;
	const char *judge;
	const char *comment;
	bool judges[DIRECTION_COUNT];
};

static const struct way ways[] = {
	{"forward", NF_INET_FORWARD, "judge",
		"egress of the source, then ingress of the destination",
		{[DIRECTION_EGRESS] = true, [DIRECTION_INGRESS] = true}},
	{"input", NF_INET_LOCAL_IN, "judge-input", "egress of the source",
		{[DIRECTION_EGRESS] = true}},
	{"output", NF_INET_LOCAL_OUT, "judge-output", "ingress of the destination",
		{[DIRECTION_INGRESS] = true}},
};

static int write_judge(struct batch *batch, const struct way *way)
{
	int r = chain_write(batch, way->judge, way->comment, NULL);

	if (!r)
		r = packet_path_write_state(batch, way->judge);
	if (!r && way->judges[DIRECTION_EGRESS] && way->judges[DIRECTION_INGRESS])
		r = write_self(batch, way->judge);
	for (int i = 0; !r && i < 4; i++) {
		enum direction direction = i < 2 ? DIRECTION_EGRESS : DIRECTION_INGRESS;

		if (way->judges[direction])
			r = write_dispatch(batch, way->judge, direction, !(i % 2));
	}
	return r;
}

/* What opens, in answer to what opened. To conntrack it is half of a handshake that both begin at
 * once; it may as well open another one. */
static int write_opens_back(struct batch *batch, const char *chain, const char *judge)
{
	struct rule rule;
	int r;

	rule_begin(&rule, chain);
	rule_tcp_pure_syn(&rule, true);
	rule_ct_reply(&rule);
	rule_verdict(&rule, NFT_GOTO, judge);
	r = rule_write(&rule, batch, NULL);
	if (r < 0)
		return r;
	rule_begin(&rule, chain);
	rule_protocol(&rule, IPPROTO_SCTP);
	rule_sctp_chunk(&rule, SCTP_INIT, true);
	rule_ct_reply(&rule);
	rule_verdict(&rule, NFT_GOTO, judge);
	return rule_write(&rule, batch, NULL);
}

int packet_path_write_known(struct batch *batch, const char *chain, const char *judge)
{
	struct rule rule;
	int r = write_opens_back(batch, chain, judge);

	if (r < 0)
		return r;
	rule_begin(&rule, chain);
	rule_ct_state(&rule, NF_CT_STATE_BIT(IP_CT_ESTABLISHED));
	rule_verdict(&rule, NF_ACCEPT, NULL);
	r = rule_write(&rule, batch, NULL);
	if (r < 0)
		return r;
	/* Only errors: what a conntrack helper expects is judged as any new connection. */
	rule_begin(&rule, chain);
	rule_ct_state(&rule, NF_CT_STATE_BIT(IP_CT_RELATED));
	rule_protocol_in(&rule, LAYOUT_ICMP_PROTOCOLS);
	rule_verdict(&rule, NF_ACCEPT, NULL);
	r = rule_write(&rule, batch, NULL);
	if (r < 0)
		return r;
	/* The kernel's own answer to what one of our rules rejects: from the wire, no reset is ever
	 * related to anything. */
	rule_begin(&rule, chain);
	rule_ct_state(&rule, NF_CT_STATE_BIT(IP_CT_RELATED));
	rule_tcp_reset(&rule);
	rule_verdict(&rule, NF_ACCEPT, NULL);
	return rule_write(&rule, batch, NULL);
}

/*
 * What policy binds at neither end passes. So one rule leads on, for all that is left: the kernel
 * looks for loops through whatever can be reached, once for each rule that leads there.
 */
static int write_strangers(struct batch *batch, const struct way *way, bool ipv4)
{
	struct rule rule;

	rule_begin(&rule, way->name);
	rule_family(&rule, ipv4);
	if (way->judges[DIRECTION_EGRESS]) {
		rule_key_address(&rule, ipv4, RULE_SOURCE);
		rule_lookup_not(&rule, layout_workloads(ipv4));
	}
	if (way->judges[DIRECTION_INGRESS]) {
		rule_key_address(&rule, ipv4, RULE_DESTINATION);
		rule_lookup_not(&rule, layout_workloads(ipv4));
	}
	rule_verdict(&rule, NF_ACCEPT, NULL);
	return rule_write(&rule, batch, "nobody under policy");
}

/* Neighbour discovery that a router has passed on is none, and is judged. */
static int write_base_chain(struct batch *batch, const struct way *way)
{
	static const uint8_t on_link = ND_HOP_LIMIT;
	const struct chain_hook hook = {NFPROTO_INET, way->hook, PRIORITY, NULL};
	struct rule rule;
	int r = chain_write(batch, way->name, NULL, &hook);

	if (!r)
		r = packet_path_write_known(batch, way->name, way->judge);
	if (!r) {
		rule_begin(&rule, way->name);
		rule_family(&rule, false);
		rule_key_payload(&rule, NFT_PAYLOAD_NETWORK_HEADER,
			offsetof(struct ip6_hdr, ip6_hlim), sizeof(on_link));
		rule_compare(&rule, NFT_CMP_EQ, &on_link, sizeof(on_link));
		rule_protocol(&rule, IPPROTO_ICMPV6);
		rule_key_transport(&rule, 0, 1);
		rule_lookup(&rule, LAYOUT_NEIGHBOUR_DISCOVERY);
		rule_verdict(&rule, NF_ACCEPT, NULL);
		r = rule_write(&rule, batch, NULL);
	}
	for (int ipv4 = 1; !r && ipv4 >= 0; ipv4--)
		r = write_strangers(batch, way, ipv4);
	if (r < 0)
		return r;
	rule_begin(&rule, way->name);
	rule_verdict(&rule, NFT_GOTO, way->judge);
	return rule_write(&rule, batch, NULL);
}

int packet_path_write(struct batch *batch, uint16_t nflog_group)
{
	int r = packet_path_write_mid_stream(batch, nflog_group);

	for (size_t i = 0; !r && i < sizeof(ways) / sizeof(ways[0]); i++) {
		r = write_judge(batch, &ways[i]);
		if (!r)
			r = write_base_chain(batch, &ways[i]);
	}
	return r;
}
