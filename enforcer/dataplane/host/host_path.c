/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/host/host_path.h"

#include "dataplane/nft/chain.h"
#include "dataplane/nft/element.h"
#include "dataplane/nft/layout.h"
#include "dataplane/nft/packet_path.h"
#include "dataplane/nft/rule.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#define LOOPBACK        1U /* the index of lo in every network namespace */
#define NEEDED_ICMP     "needed-icmp"
#define NEEDED_ICMPV6   "needed-icmpv6"
#define MLD2_REPORT     143
#define INPUT_PRIORITY  (-9) /* behind input of table inet segd */
#define OUTPUT_PRIORITY (-11)

/* One end of the node's own traffic. */
struct side {
	enum direction direction;
	const char *chain;
	const char *judge;
	const char *judge_comment;
	struct chain_hook hook;
};

static const struct side sides[DIRECTION_COUNT] = {
	[DIRECTION_INGRESS] = {DIRECTION_INGRESS, "input", "judge-ingress",
		"what comes to the node itself",
		{NFPROTO_INET, NF_INET_LOCAL_IN, INPUT_PRIORITY, NULL}},
	[DIRECTION_EGRESS] = {DIRECTION_EGRESS, "output", "judge-egress",
		"what the node itself sends",
		{NFPROTO_INET, NF_INET_LOCAL_OUT, OUTPUT_PRIORITY, NULL}},
};

static int write_needed_sets(struct batch *batch)
{
	static const uint8_t icmp[] = {ICMP_DEST_UNREACH, ICMP_TIME_EXCEEDED, ICMP_PARAMETERPROB};
	static const uint8_t icmpv6[] = {ICMP6_DST_UNREACH, ICMP6_PACKET_TOO_BIG,
		ICMP6_TIME_EXCEEDED, ICMP6_PARAM_PROB, MLD_LISTENER_QUERY, MLD_LISTENER_REPORT,
		MLD_LISTENER_REDUCTION, ND_ROUTER_SOLICIT, ND_ROUTER_ADVERT, ND_NEIGHBOR_SOLICIT,
		ND_NEIGHBOR_ADVERT, MLD2_REPORT};
	int r = layout_write_bytes(batch, NEEDED_ICMP, FIELD_ICMP_TYPE, icmp, sizeof(icmp));

	return r ? r
		 : layout_write_bytes(
			   batch, NEEDED_ICMPV6, FIELD_ICMPV6_TYPE, icmpv6, sizeof(icmpv6));
}

static int write_judge(struct batch *batch, const struct side *side)
{
	struct rule rule;
	int r = chain_write(batch, side->judge, side->judge_comment, NULL);

	if (!r)
		r = packet_path_write_state(batch, side->judge);
	if (r < 0)
		return r;
	rule_begin(&rule, side->judge);
	rule_key_family(&rule);
	rule_lookup_verdict(&rule, layout_host_map(side->direction));
	return rule_write(&rule, batch, NULL);
}

static int write_loopback(struct batch *batch, const struct side *side)
{
	const uint32_t loopback = LOOPBACK;
	struct rule rule;

	rule_begin(&rule, side->chain);
	if (side->direction == DIRECTION_INGRESS)
		rule_key_interface(&rule);
	else
		rule_key_outgoing(&rule);
	rule_compare(&rule, NFT_CMP_EQ, &loopback, sizeof(loopback));
	rule_verdict(&rule, NF_ACCEPT, NULL);
	return rule_write(&rule, batch, NULL);
}

static int write_needed(struct batch *batch, const struct side *side, bool ipv4)
{
	struct rule rule;

	rule_begin(&rule, side->chain);
	rule_family(&rule, ipv4);
	rule_protocol(&rule, ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	rule_key_transport(&rule, 0, 1);
	rule_lookup(&rule, ipv4 ? NEEDED_ICMP : NEEDED_ICMPV6);
	rule_verdict(&rule, NF_ACCEPT, NULL);
	return rule_write(&rule, batch, NULL);
}

static int write_failsafe(struct batch *batch, const struct side *side)
{
	struct rule rule;
	int r;

	rule_begin(&rule, side->chain);
	rule_key_protocol(&rule);
	rule_key_transport(&rule, 2, 2);
	rule_lookup(&rule, layout_failsafe(side->direction));
	rule_verdict(&rule, NF_ACCEPT, NULL);
	r = rule_write(&rule, batch, "no policy can cut these");
	if (r < 0 || side->direction == DIRECTION_INGRESS)
		return r;
	/* A session that conntrack has never seen may begin with the server's word. Nothing can be
	 * opened this way: a SYN is judged. */
	rule_begin(&rule, side->chain);
	rule_tcp_pure_syn(&rule, false);
	rule_key_protocol(&rule);
	rule_key_transport(&rule, 0, 2);
	rule_lookup(&rule, layout_failsafe(DIRECTION_INGRESS));
	rule_verdict(&rule, NF_ACCEPT, NULL);
	return rule_write(&rule, batch, "their answers");
}

static int write_side(struct batch *batch, const struct side *side)
{
	struct rule rule;
	int r = write_judge(batch, side);

	if (!r)
		r = chain_write(batch, side->chain, NULL, &side->hook);
	if (!r)
		r = write_loopback(batch, side);
	if (!r)
		r = packet_path_write_known(batch, side->chain, side->judge);
	for (int ipv4 = 1; !r && ipv4 >= 0; ipv4--)
		r = write_needed(batch, side, ipv4);
	if (!r)
		r = write_failsafe(batch, side);
	if (r < 0)
		return r;
	rule_begin(&rule, side->chain);
	rule_verdict(&rule, NFT_GOTO, side->judge);
	return rule_write(&rule, batch, NULL);
}

static int write_path(struct batch *batch, uint16_t nflog_group)
{
	int r = packet_path_write_mid_stream(batch, nflog_group);

	if (!r)
		r = write_needed_sets(batch);
	for (size_t i = 0; !r && i < DIRECTION_COUNT; i++)
		r = write_side(batch, &sides[i]);
	return r;
}

const struct table_kind table_of_host = {LAYOUT_HOST_TABLE, write_path};

int host_path_plan_failsafe(struct ruleset *plan, const struct failsafe *failsafe)
{
	static const struct shape shape = {.fields = {FIELD_PROTOCOL, FIELD_PORT}};
	struct ruleset_set *sets[DIRECTION_COUNT];
	int r = 0;

	for (enum direction direction = 0; direction < DIRECTION_COUNT; direction++) {
		sets[direction] = ruleset_add_set(plan, layout_failsafe(direction), &shape, true);
		if (!sets[direction])
			return -ENOMEM;
	}
	for (size_t i = 0; !r && i < failsafe->count; i++) {
		const struct failsafe_port *port = &failsafe->ports[i];
		struct element element = {.target.code = TARGET_NONE};
		uint16_t port_be = htons(port->port);

		element_key_add(&element, &port->protocol, sizeof(port->protocol));
		element_key_add(&element, &port_be, sizeof(port_be));
		r = element_list_add(&sets[port->direction]->elements, &element);
	}
	for (enum direction direction = 0; direction < DIRECTION_COUNT; direction++)
		element_list_sort(&sets[direction]->elements);
	return r;
}
