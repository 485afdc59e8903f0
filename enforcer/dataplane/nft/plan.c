/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/plan.h"

#include "base/cleanup.h"
#include "dataplane/nft/layout.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>

int plan_decision(struct plan *plan, enum direction direction, const struct decision *decision,
	struct target *ret)
{
	bool reject = decision->flags & DECISION_REJECT;
	struct ruleset_chain *chain;
	char name[64];

	if (decision->verdict == VERDICT_ALLOW) {
		*ret = (struct target){.code = NFT_RETURN};
		return 0;
	}
	snprintf(name, sizeof(name), "refuse-%s-%08x%s", direction_name(direction),
		plan->ir->rules[decision->rule].id, reject ? "-reject" : "");
	chain = ruleset_find_chain(plan->ruleset, identity_add_text(IDENTITY_START, name));
	if (!chain) {
		chain = ruleset_add_chain(plan->ruleset, name);
		if (!chain)
			return -ENOMEM;
		chain->kind = CHAIN_REFUSAL;
		chain->direction = direction;
		chain->index = decision->rule;
		chain->reject = reject;
	}
	*ret = (struct target){.code = NFT_GOTO, .chain = chain->id};
	return 0;
}

static int add_address(struct plan *plan, const char *set, const struct address *one,
	const struct address *other, struct target target)
{
	struct ruleset_set *found = ruleset_find_set(plan->ruleset, set);
	struct element element = {.target = target};

	element_key_add_address(&element, one);
	if (other)
		element_key_add_address(&element, other);
	return element_list_add(&found->elements, &element);
}

static int add_subject(
	struct plan *plan, const struct ir_address *address, const struct target *chains)
{
	const struct ir_subject *subject = &plan->ir->subjects[address->workload];
	const struct target none = {.code = TARGET_NONE};
	bool ipv4 = address_is_ipv4(&address->address), any = false;
	int r = 0;

	for (enum direction direction = 0; !r && direction < DIRECTION_COUNT; direction++) {
		uint32_t table = subject->peer_table[direction];

		if (table == IR_PEER_TABLE_NONE)
			continue;
		any = true;
		if (chains[table].code == NFT_JUMP)
			r = add_address(plan, layout_dispatch_map(direction, ipv4),
				&address->address, NULL, chains[table]);
	}
	if (!r && any)
		r = add_address(plan, layout_workloads(ipv4), &address->address, NULL, none);
	return r;
}

/* Every pair of one family: a workload may talk from one of its networks to another. */
static int add_self(struct plan *plan, size_t index)
{
	const struct ir_address *one = &plan->ir->addresses[index];
	const struct target none = {.code = TARGET_NONE};
	bool ipv4 = address_is_ipv4(&one->address);
	int r = 0;

	for (size_t i = 0; !r && i < plan->ir->addresses_count; i++) {
		const struct ir_address *other = &plan->ir->addresses[i];

		if (other->workload == one->workload && address_is_ipv4(&other->address) == ipv4)
			r = add_address(
				plan, layout_self(ipv4), &one->address, &other->address, none);
	}
	return r;
}

static int declare_maps(struct plan *plan)
{
	for (int ipv4 = 0; ipv4 < 2; ipv4++) {
		for (enum direction direction = 0; direction < DIRECTION_COUNT; direction++)
			if (!ruleset_add_set(plan->ruleset, layout_dispatch_map(direction, ipv4),
				    layout_dispatch_shape(ipv4), true))
				return -ENOMEM;
		if (!ruleset_add_set(plan->ruleset, layout_workloads(ipv4),
			    layout_workloads_shape(ipv4), true) ||
			!ruleset_add_set(
				plan->ruleset, layout_self(ipv4), layout_self_shape(ipv4), true))
			return -ENOMEM;
	}
	return 0;
}

static int add_subjects(struct plan *plan)
{
	_cleanup_free_ struct target *chains =
		calloc(plan->ir->peer_tables_count + 1, sizeof(*chains));
	int r = chains ? declare_maps(plan) : -ENOMEM;

	for (uint32_t i = 0; !r && i < plan->ir->peer_tables_count; i++)
		r = plan_peer_table(plan, i, &chains[i]);
	for (size_t i = 0; !r && i < plan->ir->addresses_count; i++) {
		const struct ir_address *address = &plan->ir->addresses[i];

		if (address->workload < 0)
			continue;
		r = add_subject(plan, address, chains);
		if (!r)
			r = add_self(plan, i);
	}
	return r;
}

/* What the prefixes alone would say of each address that the IR knows by itself. */
static int classify_addresses(struct plan *plan)
{
	int r = 0;

	for (int ipv4 = 0; !r && ipv4 < 2; ipv4++)
		r = intervals_from_prefixes(
			plan->ir->prefixes, plan->ir->prefixes_count, ipv4, &plan->space[ipv4]);
	plan->prefix_class = calloc(plan->ir->addresses_count + 1, sizeof(*plan->prefix_class));
	if (r < 0 || !plan->prefix_class)
		return -ENOMEM;
	for (size_t i = 0; i < plan->ir->addresses_count; i++) {
		const struct address *address = &plan->ir->addresses[i].address;

		if (!intervals_find(&plan->space[address_is_ipv4(address)], address,
			    &plan->prefix_class[i]))
			return -EINVAL;
	}
	return 0;
}

static int prepare(struct plan *plan)
{
	for (enum direction direction = 0; direction < DIRECTION_COUNT; direction++) {
		struct target *ports =
			calloc(plan->ir->port_tables_count + 1, sizeof(*plan->ports[direction]));

		if (!ports)
			return -ENOMEM;
		for (size_t i = 0; i < plan->ir->port_tables_count; i++)
			ports[i].code = TARGET_NONE;
		plan->ports[direction] = ports;
	}
	return classify_addresses(plan);
}

static void release(struct plan *plan)
{
	intervals_clear(&plan->space[0]);
	intervals_clear(&plan->space[1]);
	free(plan->prefix_class);
	free(plan->ports[DIRECTION_INGRESS]);
	free(plan->ports[DIRECTION_EGRESS]);
}

int plan_build(const struct ir *ir, struct ruleset *ret, struct error *error)
{
	struct ruleset ruleset = {0};
	struct plan plan = {.ir = ir, .ruleset = &ruleset};
	struct ruleset_set *set;
	int r = prepare(&plan);

	if (!r)
		r = add_subjects(&plan);
	release(&plan);
	if (r < 0) {
		ruleset_clear(&ruleset);
		return error_errno(error, r, "compile rules for nftables");
	}
	for (set = ruleset.sets; set; set = set->hh.next)
		element_list_sort(&set->elements);
	*ret = ruleset;
	return 0;
}
