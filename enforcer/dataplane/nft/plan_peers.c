/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/plan.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLICY_NAME_MAX 64

/* What a peer table becomes, before it has a name. */
struct peers {
	struct target *targets; /* by class */
	struct target otherwise;
	struct element_list prefixes[2]; /* by ipv4 */
	struct element_list hosts[2];
	struct target node; /* as in ruleset.h */
	bool apart;         /* prefixes are only for addresses that the IR does not know */
	size_t exceptions[2];
};

static void peers_clear(struct peers *peers)
{
	free(peers->targets);
	for (int ipv4 = 0; ipv4 < 2; ipv4++) {
		element_list_clear(&peers->prefixes[ipv4]);
		element_list_clear(&peers->hosts[ipv4]);
	}
}

static int find_targets(struct plan *plan, const struct ir_peer_table *table, struct peers *peers)
{
	int r;

	peers->targets = calloc(plan->ir->classes_count + 1, sizeof(*peers->targets));
	if (!peers->targets)
		return -ENOMEM;
	r = plan_port_table(plan, table->direction, table->otherwise, &peers->otherwise);
	for (size_t i = 0; !r && i < plan->ir->classes_count; i++)
		peers->targets[i] = peers->otherwise;
	for (size_t i = 0; !r && i < table->peers_count; i++)
		r = plan_port_table(plan, table->direction, table->peers[i].port_table,
			&peers->targets[table->peers[i].class]);
	return r;
}

static int add_hosts(const struct plan *plan, const struct plan_group *group, struct target target,
	struct peers *peers)
{
	int r = 0;

	for (size_t i = 0; !r && i < group->count; i++) {
		const struct ir_address *known =
			&plan->ir->addresses[plan->order[group->first + i]];
		struct element element = {.target = target};

		if (known->workload < 0 && peers->node.code != TARGET_NONE)
			continue;
		element_key_add_address(&element, &known->address);
		r = element_list_add(&peers->hosts[address_is_ipv4(&known->address)], &element);
	}
	return r;
}

/* Where addresses are led that are not among the hosts. */
static struct target fallback(const struct peers *peers, uint32_t prefix_class, bool apart)
{
	return apart ? peers->otherwise : peers->targets[prefix_class];
}

static size_t count_hosts(const struct plan *plan, const struct peers *peers, bool apart)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->groups_count; i++) {
		const struct plan_group *group = &plan->groups[i];

		if (!target_equal(peers->targets[group->class],
			    fallback(peers, group->prefix_class, apart)))
			count += group->count;
	}
	return count;
}

/*
 * The node reaches its workloads: whatever a policy says of peers, most tables lead it elsewhere
 * than these, and everywhere to the same place. Among the hosts it would make a map of each set of
 * them, and the kernel looks for loops through all maps whenever one gets an element.
 */
static struct target find_node(const struct plan *plan, const struct peers *peers)
{
	const struct target none = {.code = TARGET_NONE};
	struct target target = none;
	bool exception = false;

	for (size_t i = 0; i < plan->node_count; i++) {
		size_t index = plan->node[i];
		struct target own = peers->targets[plan->ir->addresses[index].class];

		if (i && !target_equal(own, target))
			return none;
		target = own;
		exception |= !target_equal(
			own, fallback(peers, plan->prefix_class[index], peers->apart));
	}
	return exception ? target : none;
}

/* Only those that would be led elsewhere. With a rule for the world all workloads are exceptions
 * to it, in each table that has one; so the way with fewer of them is taken. */
static int find_hosts(struct plan *plan, struct peers *peers)
{
	int r = 0;

	peers->exceptions[true] = count_hosts(plan, peers, true);
	peers->exceptions[false] = count_hosts(plan, peers, false);
	peers->apart = peers->exceptions[true] < peers->exceptions[false];
	plan->apart |= peers->apart;
	peers->node = find_node(plan, peers);
	plan->asks_node |= peers->node.code != TARGET_NONE;
	for (size_t i = 0; !r && i < plan->groups_count; i++) {
		const struct plan_group *group = &plan->groups[i];
		struct target target = peers->targets[group->class];

		if (!target_equal(target, fallback(peers, group->prefix_class, peers->apart)))
			r = add_hosts(plan, group, target, peers);
	}
	return r;
}

static int find_elements(struct plan *plan, struct peers *peers)
{
	int r = 0;

	for (int ipv4 = 0; !r && ipv4 < 2; ipv4++)
		r = intervals_to_elements(&plan->space[ipv4], ipv4, peers->targets,
			peers->otherwise, &peers->prefixes[ipv4]);
	return r ? r : find_hosts(plan, peers);
}

static uint64_t add_elements(uint64_t identity, const struct element_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct element *element = &list->items[i];

		identity = identity_add(identity, element->key, element->key_length);
		identity = identity_add_number(identity, element->kind);
		identity = identity_add_target(identity, element->target);
	}
	return identity;
}

/*
 * Which hosts are in it is no part of the identity: they come and go, and the chain stays. Where
 * they lead is: so two tables of one name differ unless they differ in hosts alone.
 */
static uint64_t identify(const struct ir_peer_table *table, const struct peers *peers)
{
	uint64_t identity = identity_add_number(IDENTITY_START, table->direction), ports = 0;

	identity = identity_add_text(identity, table->name);
	identity = identity_add_target(identity, peers->otherwise);
	if (peers->apart)
		identity = identity_add_text(identity, "apart");
	if (peers->node.code != TARGET_NONE)
		identity = identity_add_target(identity_add_text(identity, "node"), peers->node);
	for (int ipv4 = 0; ipv4 < 2; ipv4++) {
		identity = add_elements(identity, &peers->prefixes[ipv4]);
		identity = identity_add_number(identity, peers->hosts[ipv4].count > 0);
		identity = identity_add_target(identity, element_list_target(&peers->hosts[ipv4]));
	}
	/* A sum, because the order of classes is nobody's. */
	for (size_t i = 0; i < table->peers_count; i++) {
		struct target target = peers->targets[table->peers[i].class];
		bool repeated = false;

		for (size_t j = 0; j < i && !repeated; j++)
			repeated = target_equal(peers->targets[table->peers[j].class], target);
		if (!repeated)
			ports += identity_add_target(IDENTITY_START, target);
	}
	return identity_add_number(identity, ports);
}

static void format_name(
	const struct ir_peer_table *table, uint64_t identity, char *name, size_t size)
{
	int length = snprintf(name, size, "%s-%.*s", direction_name(table->direction),
		POLICY_NAME_MAX, table->name);

	for (char *character = name; *character; character++)
		if (!isalnum((unsigned char)*character) && !strchr("-._", *character))
			*character = '-';
	snprintf(name + length, size - (size_t)length, "-%012llx",
		(unsigned long long)(identity & 0xffffffffffff));
}

static int add_set(struct plan *plan, const char *chain, const char *suffix, bool ipv4, bool ranges,
	struct element_list *elements)
{
	const struct shape shape = {
		.fields = {ipv4 ? FIELD_IPV4 : FIELD_IPV6}, .ranges = ranges, .verdicts = true};
	struct ruleset_set *set;
	char name[160];

	snprintf(name, sizeof(name), "%s-%s%c", chain, suffix, ipv4 ? '4' : '6');
	set = ruleset_add_set(plan->ruleset, name, &shape, !ranges);
	if (!set)
		return -ENOMEM;
	ruleset_set_fill(set, elements);
	return 0;
}

/* Before the elements are given away. */
static void remember(struct plan *plan, uint32_t index, const struct peers *peers)
{
	struct plan_table *table = &plan->tables[index];

	table->otherwise = peers->otherwise;
	table->apart = peers->apart;
	memcpy(table->exceptions, peers->exceptions, sizeof(table->exceptions));
	for (int ipv4 = 0; ipv4 < 2; ipv4++)
		table->hosts[ipv4] = (struct plan_hosts){
			peers->hosts[ipv4].count, element_list_target(&peers->hosts[ipv4])};
}

static int add_chain(struct plan *plan, uint32_t index, struct peers *peers, struct target *ret)
{
	const struct ir_peer_table *table = &plan->ir->peer_tables[index];
	uint64_t identity = identify(table, peers);
	struct ruleset_chain *chain;
	char name[128];
	int r = 0;

	format_name(table, identity, name, sizeof(name));
	/* Two tables that differ in their hosts alone: then these do make the name. */
	if (ruleset_find_chain(plan->ruleset, identity_add_text(IDENTITY_START, name))) {
		identity = add_elements(add_elements(identity, &peers->hosts[0]), &peers->hosts[1]);
		format_name(table, identity, name, sizeof(name));
		plan->irregular = true;
	}
	chain = ruleset_find_chain(plan->ruleset, identity_add_text(IDENTITY_START, name));
	if (!chain) {
		chain = ruleset_add_chain(plan->ruleset, name);
		if (!chain)
			return -ENOMEM;
		chain->kind = CHAIN_PEERS;
		chain->direction = table->direction;
		chain->index = index;
		chain->otherwise = peers->otherwise;
		chain->apart = peers->apart;
		chain->node = peers->node;
		for (int ipv4 = 0; !r && ipv4 < 2; ipv4++) {
			if (peers->hosts[ipv4].count)
				r = add_set(plan, name, "hosts", ipv4, false, &peers->hosts[ipv4]);
			if (!r && peers->prefixes[ipv4].count)
				r = add_set(
					plan, name, "prefixes", ipv4, true, &peers->prefixes[ipv4]);
		}
	}
	*ret = (struct target){.code = NFT_JUMP, .chain = chain->id};
	return r;
}

int plan_peer_table(struct plan *plan, uint32_t index, struct target *ret)
{
	struct peers peers = {0};
	int r = find_targets(plan, &plan->ir->peer_tables[index], &peers);

	if (!r)
		r = find_elements(plan, &peers);
	if (!r) {
		remember(plan, index, &peers);
		r = add_chain(plan, index, &peers, ret);
	}
	if (!r)
		plan->tables[index].chain = ret->chain;
	peers_clear(&peers);
	return r;
}
