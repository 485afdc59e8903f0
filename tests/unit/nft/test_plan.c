/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walks plans as the kernel would, and holds them against the reference evaluator. */
#include "dataplane/nft/plan.h"

#include "base/cleanup.h"
#include "dataplane/nft/layout.h"
#include "fixture.h"
#include "policies/evaluate.h"

#include <arpa/inet.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/in.h>

static const char shop[] = FIXTURE_POLICY
	"---\n"
	"apiVersion: segctl.io/v1\n"
	"kind: SegmentPolicy\n"
	"metadata: {name: api, namespace: shop}\n"
	"spec:\n"
	"  subject: app in (api,extra)\n"
	"  ingress:\n"
	"  - from: [{workloads: app=web}, {cidr: 10.78.0.0/24, except: [10.78.0.8/29]}]\n"
	"    ports: [tcp/80, tcp/8000-8100, udp/53, icmp/3]\n"
	"  - from: [{cidr: 10.0.0.0/8}, {cidr: 'fd77::/64'}]\n"
	"    ports: [tcp/8080]\n"
	"    action: deny\n"
	"  egress:\n"
	"  - to: [{entity: world}]\n"
	"    ports: [tcp/443]\n"
	"    onDeny: reject\n"
	"  - to: [{workloads: app=db}, {entity: host}]\n";

/* The element that a lookup of key finds. */
static const struct element *look_up(const struct ruleset_set *set, const struct element *key)
{
	const struct element *found = NULL;

	for (size_t i = 0; set && i < set->elements.count; i++) {
		const struct element *element = &set->elements.items[i];
		bool inside = true;

		/* Plain intervals: the last bound that is not behind the key decides. */
		if (set->shape.ranges && !set->shape.fields[1]) {
			if (memcmp(element->key, key->key, key->key_length) <= 0)
				found = element->kind == ELEMENT_RANGE_END ? NULL : element;
			continue;
		}
		for (size_t at = 0; at < key->key_length; at += 4) {
			const uint8_t *last =
				element->kind == ELEMENT_RANGE ? element->key_end : element->key;

			inside &= memcmp(element->key + at, key->key + at, 4) <= 0 &&
				  memcmp(last + at, key->key + at, 4) >= 0;
		}
		if (inside)
			return element;
	}
	return found;
}

static const struct ruleset_set *find_set(
	const struct ruleset *plan, const char *chain, const char *suffix)
{
	char name[200];

	snprintf(name, sizeof(name), "%s-%s", chain, suffix);
	return ruleset_find_set(plan, name);
}

/* *ret stays where it does not lead anywhere. */
static bool leads(const struct ruleset_set *set, const struct element *key, struct target *ret)
{
	const struct element *found = look_up(set, key);

	if (found)
		*ret = set->shape.verdicts ? found->target : set->target;
	return found;
}

static struct target in_ports(const struct ruleset *plan, const struct ruleset_chain *chain,
	const struct flow_query *query)
{
	const uint8_t type = (uint8_t)(query->port >> 8), code = (uint8_t)query->port;
	const uint16_t port_be = htons(query->port);
	bool icmp = query->protocol == IPPROTO_ICMP, icmpv6 = query->protocol == IPPROTO_ICMPV6;
	struct target target = chain->otherwise;
	struct element key = {0};

	if (icmp || icmpv6) {
		element_key_add(&key, &type, 1);
		element_key_add(&key, &code, 1);
	} else {
		element_key_add(&key, &query->protocol, 1);
		element_key_add(&key, &port_be, 2);
	}
	(void)leads(find_set(plan, chain->name,
			    icmp     ? "icmp"
			    : icmpv6 ? "icmpv6"
				     : "ports"),
		&key, &target);
	return target;
}

static struct target in_peers(const struct ruleset *plan, const struct ruleset_chain *chain,
	const struct flow_query *query)
{
	const struct address *peer =
		chain->direction == DIRECTION_EGRESS ? &query->destination : &query->source;
	bool ipv4 = address_is_ipv4(peer), known;
	struct target target = chain->otherwise;
	struct element key = {0};

	element_key_add_address(&key, peer);
	known = look_up(ruleset_find_set(plan, layout_addresses(ipv4)), &key);
	if (leads(find_set(plan, chain->name, ipv4 ? "hosts4" : "hosts6"), &key, &target))
		return target;
	if (chain->node.code != TARGET_NONE &&
		look_up(ruleset_find_set(plan, layout_node(ipv4)), &key))
		return chain->node;
	if (!(chain->apart && known))
		(void)leads(find_set(plan, chain->name, ipv4 ? "prefixes4" : "prefixes6"), &key,
			&target);
	return target;
}

/* The chain that refuses; NULL: allowed. */
static const struct ruleset_chain *walk(
	const struct ruleset *plan, enum direction direction, const struct flow_query *query)
{
	const struct address *subject =
		direction == DIRECTION_EGRESS ? &query->source : &query->destination;
	const struct ruleset_chain *chain;
	const struct element *found;
	struct element key = {0};
	struct target target;

	element_key_add_address(&key, subject);
	found = look_up(
		ruleset_find_set(plan, layout_dispatch_map(direction, address_is_ipv4(subject))),
		&key);
	if (!found)
		return NULL;
	target = found->target;
	while (target.code != NFT_RETURN) {
		chain = ruleset_find_chain(plan, target.chain);
		assert_non_null(chain);
		if (chain->kind == CHAIN_REFUSAL)
			return chain;
		target = chain->kind == CHAIN_PEERS ? in_peers(plan, chain, query)
						    : in_ports(plan, chain, query);
	}
	return NULL;
}

static bool is_self(const struct ruleset *plan, const struct flow_query *query)
{
	struct element key = {0};

	element_key_add_address(&key, &query->source);
	element_key_add_address(&key, &query->destination);
	return look_up(ruleset_find_set(plan, layout_self(address_is_ipv4(&query->source))), &key);
}

static void check(const struct ir *ir, const struct ruleset *plan, const struct flow_query *query)
{
	struct evaluation expected = evaluate(ir, query);
	const struct ruleset_chain *refusal = NULL;
	char from[ADDRESS_TEXT_MAX], to[ADDRESS_TEXT_MAX];
	const struct decision *decision =
		expected.direction == DIRECTION_EGRESS ? &expected.egress : &expected.ingress;

	if (!is_self(plan, query)) {
		refusal = walk(plan, DIRECTION_EGRESS, query);
		if (!refusal)
			refusal = walk(plan, DIRECTION_INGRESS, query);
	}
	if ((expected.verdict == VERDICT_DENY) != !!refusal)
		fail_msg("%s to %s, protocol %u port %u: evaluator %s, plan %s",
			address_format(&query->source, from),
			address_format(&query->destination, to), query->protocol, query->port,
			verdict_name(expected.verdict), refusal ? refusal->name : "allows");
	if (!refusal)
		return;
	assert_int_equal(refusal->direction, expected.direction);
	assert_int_equal(refusal->index, decision->rule);
	assert_int_equal(refusal->reject, !!(decision->flags & DECISION_REJECT));
}

static struct address pick_address(const struct ir *ir, bool ipv4)
{
	static const char *const outside[2][6] = {
		{"2001:db8::1", "fd77::99", "fe80::1", "ff02::1", "::1", "fd77:1::1"},
		{"192.0.2.10", "192.0.2.70", "10.78.0.9", "10.78.1.200", "10.1.2.3",
			"255.255.255.255"},
	};

	for (int tries = 0; rand() % 3 && tries < 20; tries++) {
		const struct ir_address *address =
			&ir->addresses[(size_t)rand() % ir->addresses_count];

		if (address_is_ipv4(&address->address) == ipv4)
			return address->address;
	}
	return fixture_address(outside[ipv4][rand() % 6]);
}

static void test_agrees_with_the_evaluator(void **state)
{
	static const uint16_t ports[] = {0, 53, 80, 443, 5000, 5009, 5010, 5011, 5432, 7999, 8000,
		8080, 8100, 8101, 65535, 0x0300, 0x03ff, 0x0800, 0x8000};
	static const uint8_t protocols[] = {
		IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP, IPPROTO_ICMPV6};
	struct model *model = fixture_model(40);
	struct ir *ir = fixture_ir(model, shop);
	struct error error = ERROR_INIT;
	struct ruleset plan = {0};
	unsigned int denied = 0;

	(void)state;
	srand(2);
	assert_int_equal(plan_build(ir, &plan, NULL, &error), 0);
	for (unsigned int i = 0; i < 50000; i++) {
		bool ipv4 = rand() % 2;
		struct flow_query query = {
			.source = pick_address(ir, ipv4),
			.destination = pick_address(ir, ipv4),
			.protocol = protocols[rand() % 5],
			.port = ports[(size_t)rand() % ARRAY_SIZE(ports)],
		};

		check(ir, &plan, &query);
		denied += evaluate(ir, &query).verdict == VERDICT_DENY;
	}
	assert_true(denied > 5000 && denied < 45000);
	ruleset_clear(&plan);
	ir_free(ir);
	model_free(model);
}

static void test_icmp_ranges_become_blocks(void **state)
{
	const struct target target = {.code = NFT_RETURN};
	const struct ir_port_range ranges[] = {
		{.protocol = IPPROTO_ICMP, .first = 0x0305, .last = 0x0502},
		{.protocol = IPPROTO_ICMP, .first = 0x0800, .last = 0x08ff},
		{.protocol = IPPROTO_ICMPV6, .first = 0x8003, .last = 0x8100},
	};
	struct port_elements elements = {0};
	unsigned int covered = 0;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(port_elements_add(&elements, &ranges[i], target), 0);
	assert_int_equal(elements.ports.count, 0);
	assert_int_equal(elements.icmp[true].count, 4);
	assert_int_equal(elements.icmp[false].count, 2);
	for (size_t i = 0; i < 3; i++) {
		const struct element *element = &elements.icmp[true].items[i];

		covered += (element->key_end[0] - element->key[0] + 1U) *
			   (element->key_end[4] - element->key[4] + 1U);
	}
	assert_int_equal(covered, 0x0502 - 0x0305 + 1);
	port_elements_clear(&elements);
}

/* What does not concern a chain does not change its name. */
static void test_names_stay(void **state)
{
	struct model *few = fixture_model(3), *many = fixture_model(50);
	struct ir *before = fixture_ir(few, shop), *after = fixture_ir(many, shop);
	struct ruleset one = {0}, other = {0};
	const struct ruleset_chain *chain;

	(void)state;
	assert_int_equal(plan_build(before, &one, NULL, NULL), 0);
	assert_int_equal(plan_build(after, &other, NULL, NULL), 0);
	assert_true(HASH_COUNT(one.chains) > 5);
	for (chain = one.chains; chain; chain = chain->hh.next)
		assert_non_null(ruleset_find_chain(&other, chain->id));
	ruleset_clear(&one);
	ruleset_clear(&other);
	ir_free(before);
	ir_free(after);
	model_free(few);
	model_free(many);
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t length = strlen(name), end = strlen(suffix);

	return length >= end && !strcmp(name + length - end, suffix);
}

/* All workloads are exceptions to what a rule says of the world: they are so in one set, and not in
 * each table with such a rule. */
static void test_workloads_are_listed_once(void **state)
{
	static const char world[] =
		"apiVersion: segctl.io/v1\nkind: SegmentPolicy\n"
		"metadata: {name: out, namespace: shop}\n"
		"spec: {subject: app=api, egress: [{to: [{entity: world}], ports: [tcp/443]}]}\n";
	struct model *model = fixture_model(200);
	struct ir *ir = fixture_ir(model, world);
	const struct ruleset_chain *chain;
	const struct ruleset_set *set;
	struct ruleset plan = {0};
	size_t hosts = 0, apart = 0;

	(void)state;
	assert_int_equal(plan_build(ir, &plan, NULL, NULL), 0);
	for (chain = plan.chains; chain; chain = chain->hh.next)
		apart += chain->apart;
	for (set = plan.sets; set; set = set->hh.next)
		if (has_suffix(set->name, "-hosts4") || has_suffix(set->name, "-hosts6"))
			hosts += set->elements.count;
	assert_int_equal(apart, 1);
	assert_int_equal(hosts, 0);
	set = ruleset_find_set(&plan, layout_addresses(true));
	assert_non_null(set);
	assert_true(set->mutable);
	assert_true(set->elements.count > 200);
	ruleset_clear(&plan);
	ir_free(ir);
	model_free(model);
}

/* A lookup of a rule, as it was written. */
struct question {
	char set[200];
	bool inverted;
	bool first; /* of its rule */
};

struct questions {
	struct question items[16];
	size_t count;
};

static int take_expression(struct nftnl_expr *expression, void *userdata)
{
	struct questions *questions = userdata;
	struct question *question = &questions->items[questions->count];

	if (strcmp(nftnl_expr_get_str(expression, NFTNL_EXPR_NAME), "lookup") != 0)
		return 0;
	assert_true(questions->count < ARRAY_SIZE(questions->items));
	snprintf(question->set, sizeof(question->set), "%s",
		nftnl_expr_get_str(expression, NFTNL_EXPR_LOOKUP_SET));
	question->inverted =
		nftnl_expr_get_u32(expression, NFTNL_EXPR_LOOKUP_FLAGS) & NFT_LOOKUP_F_INV;
	questions->count++;
	return 0;
}

/* What a chain asks of IPv4 addresses, from the messages that write it. */
static struct questions read_questions(
	const struct ir *ir, const struct ruleset *plan, const struct ruleset_chain *chain)
{
	_cleanup_(batch_freep) struct batch *batch = NULL;
	struct questions questions = {0};
	struct nlmsghdr *message, *end;
	int left;

	assert_int_equal(batch_new(&batch), 0);
	assert_int_equal(plan_write_chain(batch, ir, plan, chain, 0), 0);
	left = (int)batch_bytes(batch);
	end = batch_message(batch, NFT_MSG_GETGEN, BATCH_FAMILY, 0, "end");
	message = (void *)((char *)end - left);
	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		struct nftnl_rule *rule = nftnl_rule_alloc();
		size_t start = questions.count;

		if ((message->nlmsg_type & 0xff) == NFT_MSG_NEWRULE) {
			assert_int_equal(nftnl_rule_nlmsg_parse(message, rule), 0);
			nftnl_expr_foreach(rule, take_expression, &questions);
			questions.items[start].first = true;
		}
		nftnl_rule_free(rule);
		if (start < questions.count && !has_suffix(questions.items[start].set, "4"))
			questions.count = start;
	}
	return questions;
}

/* Where an address is led: each question is asked when it comes up, and from the one with number
 * change on, the sets are as they are after the change. */
static struct target lead(const struct ruleset *const plans[2], const struct questions *questions,
	size_t change, const char *address, struct target otherwise)
{
	struct address peer = fixture_address(address);
	struct element key = {0};
	bool fits = true;

	element_key_add_address(&key, &peer);
	for (size_t i = 0; i < questions->count; i++) {
		const struct question *question = &questions->items[i];
		const struct ruleset_set *set = ruleset_find_set(plans[i >= change], question->set);
		const struct element *found;

		assert_non_null(set);
		found = look_up(set, &key);
		fits = (fits || question->first) && !found == question->inverted;
		if (fits && (i + 1 == questions->count || questions->items[i + 1].first))
			return set->shape.verdicts ? found->target : set->target;
	}
	return otherwise;
}

/* While an address comes or goes, a packet is led as before or as after, in the middle of whatever
 * chain the change takes effect. */
static void check_change(const struct ruleset *const plans[2], const struct ruleset_chain *chain,
	const struct questions *questions, const char *address)
{
	struct target before = lead(plans, questions, SIZE_MAX, address, chain->otherwise);
	struct target after = lead(plans, questions, 0, address, chain->otherwise);

	assert_false(target_equal(before, after));
	for (size_t change = 1; change < questions->count; change++) {
		struct target target = lead(plans, questions, change, address, chain->otherwise);

		if (!target_equal(target, before) && !target_equal(target, after))
			fail_msg(
				"changed before question %zu, %s is led as never", change, address);
	}
}

static void test_a_change_has_nothing_in_between(void **state)
{
	static const char world[] =
		"apiVersion: segctl.io/v1\nkind: SegmentPolicy\n"
		"metadata: {name: out, namespace: shop}\n"
		"spec: {subject: app=api, egress: [{to: [{entity: world}], ports: [tcp/443]}, "
		"{to: [{workloads: app=extra}], ports: [tcp/80]}]}\n";
	struct model *models[] = {fixture_model(2), fixture_model(3)};
	struct ir *irs[] = {fixture_ir(models[0], world), fixture_ir(models[1], world)};
	struct ruleset few = {0}, many = {0};
	const struct ruleset_chain *chain;
	struct questions questions;

	(void)state;
	assert_int_equal(plan_build(irs[0], &few, NULL, NULL), 0);
	assert_int_equal(plan_build(irs[1], &many, NULL, NULL), 0);
	for (chain = few.chains; chain && !chain->apart; chain = chain->hh.next)
		;
	assert_non_null(chain);
	assert_non_null(ruleset_find_chain(&many, chain->id));
	questions = read_questions(irs[0], &few, chain);
	assert_true(questions.count > 1);
	check_change((const struct ruleset *const[]){&few, &many}, chain, &questions, "10.78.0.3");
	check_change((const struct ruleset *const[]){&many, &few}, chain, &questions, "10.78.0.3");
	ruleset_clear(&few);
	ruleset_clear(&many);
	for (unsigned int i = 0; i < 2; i++) {
		ir_free(irs[i]);
		model_free(models[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agrees_with_the_evaluator),
		cmocka_unit_test(test_icmp_ranges_become_blocks),
		cmocka_unit_test(test_names_stay),
		cmocka_unit_test(test_workloads_are_listed_once),
		cmocka_unit_test(test_a_change_has_nothing_in_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
