/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/plan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>

static int add_ports(
	struct port_elements *elements, const struct ir_port_range *range, struct target target)
{
	uint16_t first_be = htons(range->first), last_be = htons(range->last);
	struct element element = {.kind = ELEMENT_RANGE, .target = target};
	size_t at;

	element_key_end_add(&element, 0, &range->protocol, sizeof(range->protocol));
	element_key_add(&element, &range->protocol, sizeof(range->protocol));
	at = element.key_length;
	element_key_end_add(&element, at, &last_be, sizeof(last_be));
	element_key_add(&element, &first_be, sizeof(first_be));
	elements->ranges |= range->first != range->last;
	return element_list_add(&elements->ports, &element);
}

struct icmp_block {
	unsigned int first_type, last_type, first_code, last_code;
};

static int add_icmp(struct element_list *list, const struct icmp_block *block, struct target target)
{
	const uint8_t first[] = {(uint8_t)block->first_type, (uint8_t)block->first_code};
	const uint8_t last[] = {(uint8_t)block->last_type, (uint8_t)block->last_code};
	struct element element = {.kind = ELEMENT_RANGE, .target = target};

	for (size_t i = 0; i < sizeof(first); i++) {
		element_key_end_add(&element, element.key_length, &last[i], sizeof(last[i]));
		element_key_add(&element, &first[i], sizeof(first[i]));
	}
	return element_list_add(list, &element);
}

/* A range of type << 8 | code is at most three blocks of types by codes. */
static int add_icmp_range(
	struct element_list *list, uint16_t first, uint16_t last, struct target target)
{
	struct icmp_block whole = {first >> 8, last >> 8, first & 0xff, last & 0xff};
	struct icmp_block part;
	int r = 0;

	if (whole.first_type == whole.last_type)
		return add_icmp(list, &whole, target);
	if (whole.first_code > 0) {
		part = (struct icmp_block){
			whole.first_type, whole.first_type, whole.first_code, 0xff};
		r = add_icmp(list, &part, target);
		whole.first_type++;
	}
	if (!r && whole.last_code < 0xff) {
		part = (struct icmp_block){whole.last_type, whole.last_type, 0, whole.last_code};
		r = add_icmp(list, &part, target);
		whole.last_type--;
	}
	if (r < 0 || whole.first_type > whole.last_type)
		return r;
	part = (struct icmp_block){whole.first_type, whole.last_type, 0, 0xff};
	return add_icmp(list, &part, target);
}

int port_elements_add(
	struct port_elements *elements, const struct ir_port_range *range, struct target target)
{
	bool ipv4 = range->protocol == IPPROTO_ICMP;

	if (ipv4 || range->protocol == IPPROTO_ICMPV6)
		return add_icmp_range(&elements->icmp[ipv4], range->first, range->last, target);
	return add_ports(elements, range, target);
}

void port_elements_clear(struct port_elements *elements)
{
	element_list_clear(&elements->ports);
	element_list_clear(&elements->icmp[0]);
	element_list_clear(&elements->icmp[1]);
}

/* Without ranges the kernel may hash, which is faster. */
static void flatten(struct port_elements *elements)
{
	if (elements->ranges)
		return;
	for (size_t i = 0; i < elements->ports.count; i++)
		elements->ports.items[i].kind = ELEMENT_SINGLE;
}

static int add_set(struct plan *plan, const struct ruleset_chain *chain, const char *suffix,
	const struct shape *shape, struct element_list *elements)
{
	struct ruleset_set *set;
	char name[128];

	if (!elements->count)
		return 0;
	snprintf(name, sizeof(name), "%s-%s", chain->name, suffix);
	set = ruleset_add_set(plan->ruleset, name, shape, false);
	if (!set)
		return -ENOMEM;
	ruleset_set_fill(set, elements);
	return 0;
}

static int add_sets(
	struct plan *plan, const struct ruleset_chain *chain, struct port_elements *elements)
{
	const struct shape ports = {.fields = {FIELD_PROTOCOL, FIELD_PORT},
		.ranges = elements->ranges,
		.verdicts = true};
	static const struct shape icmp = {
		.fields = {FIELD_ICMP_TYPE, FIELD_ICMP_CODE}, .ranges = true, .verdicts = true};
	static const struct shape icmpv6 = {
		.fields = {FIELD_ICMPV6_TYPE, FIELD_ICMPV6_CODE}, .ranges = true, .verdicts = true};
	int r;

	flatten(elements);
	r = add_set(plan, chain, "ports", &ports, &elements->ports);
	if (!r)
		r = add_set(plan, chain, "icmp", &icmp, &elements->icmp[true]);
	if (!r)
		r = add_set(plan, chain, "icmpv6", &icmpv6, &elements->icmp[false]);
	return r;
}

static int collect(struct plan *plan, enum direction direction, const struct ir_port_table *table,
	struct port_elements *elements, struct target *otherwise, uint64_t *identity)
{
	int r = plan_decision(plan, direction, &table->otherwise, otherwise);

	*identity = identity_add_target(identity_add_number(IDENTITY_START, direction), *otherwise);
	for (size_t i = 0; !r && i < table->ranges_count; i++) {
		const struct ir_port_range *range = &table->ranges[i];
		struct target target;

		r = plan_decision(plan, direction, &range->decision, &target);
		if (!r)
			r = port_elements_add(elements, range, target);
		*identity = identity_add_number(*identity, range->protocol);
		*identity = identity_add_number(*identity, range->first);
		*identity = identity_add_number(*identity, range->last);
		*identity = identity_add_target(*identity, target);
	}
	return r;
}

static int make_chain(
	struct plan *plan, enum direction direction, uint32_t index, struct target *ret)
{
	struct port_elements elements = {0};
	struct ruleset_chain *chain;
	struct target otherwise;
	uint64_t identity;
	char name[64];
	int r = collect(
		plan, direction, &plan->ir->port_tables[index], &elements, &otherwise, &identity);

	if (r < 0)
		goto end;
	snprintf(name, sizeof(name), "%s-ports-%012llx", direction_name(direction),
		(unsigned long long)(identity & 0xffffffffffff));
	chain = ruleset_find_chain(plan->ruleset, identity_add_text(IDENTITY_START, name));
	if (!chain) {
		chain = ruleset_add_chain(plan->ruleset, name);
		r = chain ? add_sets(plan, chain, &elements) : -ENOMEM;
	}
	if (r < 0)
		goto end;
	chain->kind = CHAIN_PORTS;
	chain->direction = direction;
	chain->index = index;
	chain->otherwise = otherwise;
	*ret = (struct target){.code = NFT_GOTO, .chain = chain->id};
end:
	port_elements_clear(&elements);
	return r;
}

int plan_port_table(struct plan *plan, enum direction direction, uint32_t index, struct target *ret)
{
	const struct ir_port_table *table = &plan->ir->port_tables[index];
	struct target *known = &plan->ports[direction][index];
	int r = 0;

	if (known->code == TARGET_NONE)
		r = table->ranges_count ? make_chain(plan, direction, index, known)
					: plan_decision(plan, direction, &table->otherwise, known);
	if (!r)
		*ret = *known;
	return r;
}
