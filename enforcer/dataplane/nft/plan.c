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
	bool ipv4 = address_is_ipv4(&address->address);
	int r = 0;

	for (enum direction direction = 0; !r && direction < DIRECTION_COUNT; direction++) {
		uint32_t table = subject->peer_table[direction];

		if (table == IR_PEER_TABLE_NONE)
			continue;
		if (chains[table].code == NFT_JUMP)
			r = add_address(plan, layout_dispatch_map(direction, ipv4),
				&address->address, NULL, chains[table]);
	}
	if (!r)
		r = add_address(plan, layout_workloads(ipv4), &address->address, NULL, none);
	return r;
}

/* Every pair of one family: a workload may talk from one of its networks to another. own: indexes
 * of its addresses. */
static int add_self(struct plan *plan, const size_t *own, size_t count)
{
	const struct target none = {.code = TARGET_NONE};
	int r = 0;

	for (size_t i = 0; !r && i < count * count; i++) {
		const struct address *one = &plan->ir->addresses[own[i / count]].address;
		const struct address *other = &plan->ir->addresses[own[i % count]].address;
		bool ipv4 = address_is_ipv4(one);

		if (address_is_ipv4(other) == ipv4)
			r = add_address(plan, layout_self(ipv4), one, other, none);
	}
	return r;
}

static int compare_workloads(const void *one, const void *other, void *ir)
{
	const struct ir_address *addresses = ((const struct ir *)ir)->addresses;
	int64_t a = addresses[*(const size_t *)one].workload;
	int64_t b = addresses[*(const size_t *)other].workload;

	return (a > b) - (a < b);
}

static bool is_subject(const struct ir *ir, int64_t workload)
{
	return workload >= 0 && ir_subject_is_bound(&ir->subjects[workload]);
}

static int add_selves(struct plan *plan)
{
	const struct ir *ir = plan->ir;
	_cleanup_free_ size_t *order = calloc(ir->addresses_count + 1, sizeof(*order));
	size_t end;
	int r = order ? 0 : -ENOMEM;

	for (size_t i = 0; order && i < ir->addresses_count; i++)
		order[i] = i;
	if (order)
		qsort_r(order, ir->addresses_count, sizeof(*order), compare_workloads, (void *)ir);
	for (size_t start = 0; !r && start < ir->addresses_count; start = end) {
		int64_t workload = ir->addresses[order[start]].workload;

		for (end = start + 1; end < ir->addresses_count &&
				      ir->addresses[order[end]].workload == workload;)
			end++;
		if (is_subject(ir, workload))
			r = add_self(plan, order + start, end - start);
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

/* An IR may still have tables that nobody is led to any more. */
static int add_peer_tables(struct plan *plan, struct target *chains)
{
	const struct ir *ir = plan->ir;
	_cleanup_free_ bool *made = calloc(ir->peer_tables_count + 1, sizeof(*made));
	int r = made ? 0 : -ENOMEM;

	for (size_t i = 0; !r && i < ir->subjects_count * DIRECTION_COUNT; i++) {
		uint32_t table = ir->subjects[i / DIRECTION_COUNT].peer_table[i % DIRECTION_COUNT];

		if (table == IR_PEER_TABLE_NONE || made[table])
			continue;
		made[table] = true;
		r = plan_peer_table(plan, table, &chains[table]);
	}
	return r;
}

static int add_subjects(struct plan *plan)
{
	_cleanup_free_ struct target *chains =
		calloc(plan->ir->peer_tables_count + 1, sizeof(*chains));
	int r = chains ? declare_maps(plan) : -ENOMEM;

	if (!r)
		r = add_peer_tables(plan, chains);
	for (size_t i = 0; !r && i < plan->ir->addresses_count; i++) {
		const struct ir_address *address = &plan->ir->addresses[i];

		if (is_subject(plan->ir, address->workload))
			r = add_subject(plan, address, chains);
	}
	return r ? r : add_selves(plan);
}

/* What the prefixes alone would say of each address that the IR knows by itself. */
static int classify_addresses(struct plan *plan)
{
	int r = 0;

	for (int ipv4 = 0; !r && ipv4 < 2; ipv4++)
		r = intervals_from_prefixes(
			plan->ir->prefixes, plan->ir->prefixes_count, ipv4, &plan->space[ipv4]);
	plan->prefix_class = calloc(plan->ir->addresses_count + 1, sizeof(*plan->prefix_class));
	plan->node = calloc(plan->ir->addresses_count + 1, sizeof(*plan->node));
	if (r < 0 || !plan->prefix_class || !plan->node)
		return -ENOMEM;
	for (size_t i = 0; i < plan->ir->addresses_count; i++) {
		const struct address *address = &plan->ir->addresses[i].address;

		if (plan->ir->addresses[i].workload < 0)
			plan->node[plan->node_count++] = i;
		if (!intervals_find(&plan->space[address_is_ipv4(address)], address,
			    &plan->prefix_class[i]))
			return -EINVAL;
	}
	return 0;
}

static int compare_groups(const void *one, const void *other, void *userdata)
{
	const struct plan *plan = userdata;
	size_t a = *(const size_t *)one, b = *(const size_t *)other;
	uint32_t class_a = plan->ir->addresses[a].class, class_b = plan->ir->addresses[b].class;

	if (class_a != class_b)
		return class_a < class_b ? -1 : 1;
	if (plan->prefix_class[a] != plan->prefix_class[b])
		return plan->prefix_class[a] < plan->prefix_class[b] ? -1 : 1;
	return (a > b) - (a < b);
}

static int group_addresses(struct plan *plan)
{
	size_t count = plan->ir->addresses_count;
	struct plan_group *group = NULL;

	plan->order = calloc(count + 1, sizeof(*plan->order));
	plan->groups = calloc(count + 1, sizeof(*plan->groups));
	if (!plan->order || !plan->groups)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		plan->order[i] = i;
	qsort_r(plan->order, count, sizeof(*plan->order), compare_groups, plan);
	for (size_t i = 0; i < count; i++) {
		uint32_t class = plan->ir->addresses[plan->order[i]].class;
		uint32_t prefix_class = plan->prefix_class[plan->order[i]];

		if (!group || group->class != class || group->prefix_class != prefix_class) {
			group = &plan->groups[plan->groups_count++];
			*group = (struct plan_group){class, prefix_class, i, 0};
		}
		group->count++;
	}
	return 0;
}

static int prepare(struct plan *plan)
{
	int r;

	for (enum direction direction = 0; direction < DIRECTION_COUNT; direction++) {
		struct target *ports =
			calloc(plan->ir->port_tables_count + 1, sizeof(*plan->ports[direction]));

		if (!ports)
			return -ENOMEM;
		for (size_t i = 0; i < plan->ir->port_tables_count; i++)
			ports[i].code = TARGET_NONE;
		plan->ports[direction] = ports;
	}
	plan->tables = calloc(plan->ir->peer_tables_count + 1, sizeof(*plan->tables));
	if (!plan->tables)
		return -ENOMEM;
	r = classify_addresses(plan);
	return r ? r : group_addresses(plan);
}

static void remember(struct plan *plan, struct plan_memory *ret)
{
	*ret = (struct plan_memory){
		.space = {plan->space[0], plan->space[1]},
		.ports = {plan->ports[0], plan->ports[1]},
		.tables = plan->tables,
		.apart = plan->apart,
		.irregular = plan->irregular,
	};
	plan->space[0] = (struct interval_list){0};
	plan->space[1] = (struct interval_list){0};
	plan->ports[0] = plan->ports[1] = NULL;
	plan->tables = NULL;
}

static void release(struct plan *plan)
{
	intervals_clear(&plan->space[0]);
	intervals_clear(&plan->space[1]);
	free(plan->prefix_class);
	free(plan->node);
	free(plan->order);
	free(plan->groups);
	free(plan->ports[DIRECTION_INGRESS]);
	free(plan->ports[DIRECTION_EGRESS]);
	free(plan->tables);
}

/* Whatever its address: the hook tells that it is the node. */
static int add_host(struct plan *plan)
{
	static const struct shape shape = {.fields = {FIELD_FAMILY}, .verdicts = true};
	static const uint8_t families[] = {NFPROTO_IPV4, NFPROTO_IPV6};
	int r = 0;

	for (enum direction direction = 0; !r && direction < DIRECTION_COUNT; direction++) {
		uint32_t table = plan->ir->host.peer_table[direction];
		struct ruleset_set *set =
			ruleset_add_set(plan->ruleset, layout_host_map(direction), &shape, true);
		struct element element = {0};

		if (!set)
			return -ENOMEM;
		if (table != IR_PEER_TABLE_NONE)
			r = plan_peer_table(plan, table, &element.target);
		for (size_t i = 0; !r && table != IR_PEER_TABLE_NONE && i < sizeof(families); i++) {
			element.key[0] = families[i];
			element.key_length = sizeof(families[i]); /* one field: no padding */
			r = element_list_add(&set->elements, &element);
		}
	}
	return r;
}

/* Which addresses the IR knows, where a chain asks. */
static int add_addresses(struct plan *plan)
{
	const struct target none = {.code = TARGET_NONE};
	int r = 0;

	for (int ipv4 = 0; plan->apart && ipv4 < 2; ipv4++)
		if (!ruleset_add_set(plan->ruleset, layout_addresses(ipv4),
			    layout_workloads_shape(ipv4), true))
			return -ENOMEM;
	for (size_t i = 0; plan->apart && !r && i < plan->ir->addresses_count; i++) {
		const struct address *address = &plan->ir->addresses[i].address;

		r = add_address(
			plan, layout_addresses(address_is_ipv4(address)), address, NULL, none);
	}
	return r;
}

static int add_node(struct plan *plan)
{
	const struct target none = {.code = TARGET_NONE};
	int r = 0;

	for (int ipv4 = 0; plan->asks_node && ipv4 < 2; ipv4++)
		if (!ruleset_add_set(
			    plan->ruleset, layout_node(ipv4), layout_workloads_shape(ipv4), true))
			return -ENOMEM;
	for (size_t i = 0; plan->asks_node && !r && i < plan->node_count; i++) {
		const struct address *address = &plan->ir->addresses[plan->node[i]].address;

		r = add_address(plan, layout_node(address_is_ipv4(address)), address, NULL, none);
	}
	return r;
}

static int build(const struct ir *ir, int (*add)(struct plan *plan), struct ruleset *ret,
	struct plan_memory *ret_memory, struct error *error)
{
	struct ruleset ruleset = {0};
	struct plan plan = {.ir = ir, .ruleset = &ruleset};
	struct ruleset_set *set;
	int r = prepare(&plan);

	if (!r)
		r = add(&plan);
	if (!r)
		r = add_addresses(&plan);
	if (!r)
		r = add_node(&plan);
	if (!r && ret_memory)
		remember(&plan, ret_memory);
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

int plan_build(const struct ir *ir, struct ruleset *ret, struct plan_memory *ret_memory,
	struct error *error)
{
	return build(ir, add_subjects, ret, ret_memory, error);
}

int plan_build_host(const struct ir *ir, struct ruleset *ret, struct error *error)
{
	return build(ir, add_host, ret, NULL, error);
}
