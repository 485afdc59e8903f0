/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a plan puts the node's own addresses. */
#include "dataplane/nft/plan.h"

#include "dataplane/nft/layout.h"
#include "fixture.h"

#include <linux/netfilter/nf_tables.h>

static bool is_hosts(const struct ruleset_set *set)
{
	const char *suffix = strrchr(set->name, '-');

	return suffix && (!strcmp(suffix, "-hosts4") || !strcmp(suffix, "-hosts6"));
}

/* The node reaches its workloads, whatever is said of peers: one rule says so, and the hosts lead
 * to one place. */
static void test_node_is_among_no_hosts(void **state)
{
	static const char web[] =
		"apiVersion: segctl.io/v1\nkind: SegmentPolicy\n"
		"metadata: {name: in, namespace: shop}\n"
		"spec: {subject: app=api, ingress: [{from: [{workloads: app=web}], ports: [tcp/80]}]}\n";
	struct model *model = fixture_model(200);
	struct ir *ir = fixture_ir(model, web);
	const struct ruleset_chain *chain;
	const struct ruleset_set *set;
	struct ruleset plan = {0};
	size_t tables = 0, hosts = 0;

	(void)state;
	assert_int_equal(plan_build(ir, &plan, NULL, NULL), 0);
	for (chain = plan.chains; chain; chain = chain->hh.next) {
		/* The tables of whom no policy binds lead everybody to one place. */
		if (chain->kind != CHAIN_PEERS || chain->otherwise.code != NFT_GOTO)
			continue;
		assert_int_equal(chain->node.code, NFT_RETURN);
		tables++;
	}
	for (set = plan.sets; set; set = set->hh.next) {
		if (!is_hosts(set))
			continue;
		assert_false(set->shape.verdicts);
		hosts += set->elements.count;
	}
	assert_int_equal(tables, 1);
	assert_true(hosts > 0);
	for (int ipv4 = 0; ipv4 < 2; ipv4++) {
		set = ruleset_find_set(&plan, layout_node(ipv4));
		assert_non_null(set);
		assert_true(set->mutable);
		assert_int_equal(set->elements.count, 1);
	}
	ruleset_clear(&plan);
	ir_free(ir);
	model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_node_is_among_no_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
