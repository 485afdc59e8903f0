/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/plan.h"

#include "dataplane/nft/chain.h"
#include "dataplane/nft/layout.h"
#include "dataplane/nft/refusal.h"
#include "dataplane/nft/rule.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>

#define SET_NAME_MAX  160
#define RULE_TEXT_MAX 256

static const struct ruleset_set *find_set(
	const struct ruleset *ruleset, const struct ruleset_chain *chain, const char *suffix)
{
	char name[SET_NAME_MAX];

	snprintf(name, SET_NAME_MAX, "%s-%s", chain->name, suffix);
	return ruleset_find_set(ruleset, name);
}

static void write_target(struct rule *rule, const struct ruleset *ruleset, struct target target)
{
	rule_verdict(rule, target.code,
		target.code == NFT_GOTO ? ruleset_chain_name(target.chain, (void *)ruleset) : NULL);
}

static int write_otherwise(
	struct batch *batch, const struct ruleset *ruleset, const struct ruleset_chain *chain)
{
	struct rule rule;

	rule_begin(&rule, chain->name);
	write_target(&rule, ruleset, chain->otherwise);
	return rule_write(&rule, batch, NULL);
}

/* Ends a rule whose key is there. */
static int write_lookup(struct rule *rule, struct batch *batch, const struct ruleset *ruleset,
	const struct ruleset_set *set)
{
	if (set->shape.verdicts) {
		rule_lookup_verdict(rule, set->name);
	} else {
		rule_lookup(rule, set->name);
		write_target(rule, ruleset, set->target);
	}
	return rule_write(rule, batch, NULL);
}

static enum rule_side side_of_peers(const struct ruleset_chain *chain)
{
	return chain->direction == DIRECTION_EGRESS ? RULE_DESTINATION : RULE_SOURCE;
}

/* One lookup among addresses of peers. */
static int write_peer_set(struct batch *batch, const struct ruleset *ruleset,
	const struct ruleset_chain *chain, const struct ruleset_set *set, bool ipv4,
	bool for_others)
{
	enum rule_side side = side_of_peers(chain);
	struct rule rule;

	rule_begin(&rule, chain->name);
	rule_family(&rule, ipv4);
	if (for_others) {
		rule_key_address(&rule, ipv4, side);
		rule_lookup_not(&rule, layout_addresses(ipv4));
	}
	rule_key_address(&rule, ipv4, side);
	return write_lookup(&rule, batch, ruleset, set);
}

static int write_node(struct batch *batch, const struct ruleset *ruleset,
	const struct ruleset_chain *chain, bool ipv4)
{
	struct rule rule;

	rule_begin(&rule, chain->name);
	rule_family(&rule, ipv4);
	rule_key_address(&rule, ipv4, side_of_peers(chain));
	rule_lookup(&rule, layout_node(ipv4));
	write_target(&rule, ruleset, chain->node);
	return rule_write(&rule, batch, NULL);
}

/* Those that are known by themselves. */
static int write_known(struct batch *batch, const struct ruleset *ruleset,
	const struct ruleset_chain *chain, bool ipv4)
{
	const struct ruleset_set *hosts = find_set(ruleset, chain, ipv4 ? "hosts4" : "hosts6");
	int r = 0;

	if (hosts)
		r = write_peer_set(batch, ruleset, chain, hosts, ipv4, false);
	if (!r && chain->node.code != TARGET_NONE)
		r = write_node(batch, ruleset, chain, ipv4);
	return r;
}

/*
 * Hosts and the node come first: where they are exceptions to prefixes, one that comes or goes is
 * one store.
 *
 * Where prefixes are for others, two sets change with a host, and each lookup of a packet may be
 * the first that sees the change. One that goes was found among the hosts, or is in neither set.
 * One that comes is in both for whoever has not found it among the hosts and then finds it known;
 * so these are asked once more behind the prefixes.
 */
static int write_peers_of(struct batch *batch, const struct ruleset *ruleset,
	const struct ruleset_chain *chain, bool ipv4)
{
	const struct ruleset_set *prefixes =
		find_set(ruleset, chain, ipv4 ? "prefixes4" : "prefixes6");
	int r = write_known(batch, ruleset, chain, ipv4);

	if (!r && prefixes)
		r = write_peer_set(batch, ruleset, chain, prefixes, ipv4, chain->apart);
	if (!r && prefixes && chain->apart)
		r = write_known(batch, ruleset, chain, ipv4);
	return r;
}

static int write_peers(struct batch *batch, const struct ruleset *ruleset,
	const struct ruleset_chain *chain, const char *comment)
{
	int r = chain_write(batch, chain->name, comment, NULL);

	if (!r)
		r = write_peers_of(batch, ruleset, chain, true);
	if (!r)
		r = write_peers_of(batch, ruleset, chain, false);
	return r ? r : write_otherwise(batch, ruleset, chain);
}

static int write_icmp(struct batch *batch, const struct ruleset *ruleset,
	const struct ruleset_chain *chain, const struct ruleset_set *set, bool ipv4)
{
	struct rule rule;

	rule_begin(&rule, chain->name);
	rule_family(&rule, ipv4);
	rule_protocol(&rule, ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	rule_key_transport(&rule, 0, 1);
	rule_key_transport(&rule, 1, 1);
	return write_lookup(&rule, batch, ruleset, set);
}

static int write_ports(
	struct batch *batch, const struct ruleset *ruleset, const struct ruleset_chain *chain)
{
	const struct ruleset_set *ports = find_set(ruleset, chain, "ports");
	int r = chain_write(batch, chain->name, NULL, NULL);
	struct rule rule;

	if (!r && ports) {
		rule_begin(&rule, chain->name);
		rule_key_protocol(&rule);
		rule_key_transport(&rule, 2, 2);
		r = write_lookup(&rule, batch, ruleset, ports);
	}
	for (int ipv4 = 1; !r && ipv4 >= 0; ipv4--) {
		const struct ruleset_set *icmp = find_set(ruleset, chain, ipv4 ? "icmp" : "icmpv6");

		if (icmp)
			r = write_icmp(batch, ruleset, chain, icmp, ipv4);
	}
	return r ? r : write_otherwise(batch, ruleset, chain);
}

static int write_refusal(struct batch *batch, const struct ir *ir,
	const struct ruleset_chain *chain, uint16_t nflog_group)
{
	const struct ir_rule *rule = &ir->rules[chain->index];
	char comment[RULE_TEXT_MAX], detail[32];

	snprintf(detail, sizeof(detail), "%s %08x", direction_name(chain->direction), rule->id);
	ir_rule_format(rule, comment, sizeof(comment));
	return refusal_write(batch, chain->name, comment, REASON_POLICY_DENIED, detail,
		chain->reject, nflog_group);
}

int plan_write_chain(struct batch *batch, const struct ir *ir, const struct ruleset *ruleset,
	const struct ruleset_chain *chain, uint16_t nflog_group)
{
	switch (chain->kind) {
	case CHAIN_PEERS:
		return write_peers(batch, ruleset, chain, ir->peer_tables[chain->index].name);
	case CHAIN_PORTS:
		return write_ports(batch, ruleset, chain);
	case CHAIN_REFUSAL:
		return write_refusal(batch, ir, chain, nflog_group);
	}
	return -EINVAL;
}
