/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/cover.h"

#include "cluster.h"
#include "policies/ports.h"

#define _cleanup_selector_ __attribute__((cleanup(selector_clear)))

static void parse(const char *text, struct selector *ret)
{
	_cleanup_free_ char *problem = NULL;
	size_t offset;

	assert_int_equal(selector_parse(text, ret, &problem, &offset), 0);
}

static bool covers(const char *outer_text, const char *inner_text)
{
	_cleanup_selector_ struct selector outer = {0}, inner = {0};

	parse(outer_text, &outer);
	parse(inner_text, &inner);
	return selector_covers(&outer, &inner);
}

static void test_selectors(void **state)
{
	static const char *const pairs[][2] = {
		{"*", "a=x"},
		{"a=x", "a=x,b=y"},
		{"a in (x,y)", "a=x"},
		{"a", "a=x"},
		{"a", "a in (x,y)"},
		{"a!=x", "a=y"},
		{"a!=x", "!a"},
		{"a notin (x)", "a notin (x,y)"},
		{"!a", "!a,b"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		assert_true(covers(pairs[i][0], pairs[i][1]));
		assert_false(covers(pairs[i][1], pairs[i][0]));
	}
	assert_true(covers("a=x", "a=x"));
	assert_false(covers("a=x", "b=x"));
	assert_false(covers("a", "a!=x"));
}

/* The two peers of the one rule that a text holds. */
static void expect_peers(const char *peers, bool first_covers, bool second_covers)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_cluster_ struct cluster cluster;
	const struct policy_rule *rule;
	const struct model *model;

	assert_true(
		asprintf(&text,
			"---\n{apiVersion: v1, kind: Namespace, metadata: {name: red, labels: {team: "
			"red}}}\n---\n{apiVersion: segctl.io/v1, kind: SegmentPolicy, metadata: "
			"{name: a, namespace: red}, spec: {subject: '*', ingress: [{from: [%s]}]}}\n",
			peers) > 0);
	cluster_open(text, &cluster);
	model = cluster.model;
	rule = &cluster.documents.items[1]->policy->rules[DIRECTION_INGRESS][0];
	assert_int_equal(rule->peers_count, 2);
	assert_int_equal(peer_covers(model, &rule->peers[0], &rule->peers[1]), first_covers);
	assert_int_equal(peer_covers(model, &rule->peers[1], &rule->peers[0]), second_covers);
}

static void test_peers(void **state)
{
	(void)state;
	expect_peers("{entity: all}, {cidr: 10.0.0.0/8}", true, false);
	expect_peers("{entity: world}, {entity: host}", false, false);
	expect_peers("{cidr: 10.0.0.0/8}, {cidr: 10.1.0.0/16}", true, false);
	expect_peers(
		"{cidr: 10.0.0.0/8, except: [10.1.2.0/24]}, {cidr: 10.1.0.0/16}", false, false);
	expect_peers("{cidr: 10.0.0.0/8, except: [10.1.2.0/24]}, {cidr: 10.1.0.0/16, except: "
		     "[10.1.2.0/23]}",
		true, false);
	expect_peers("{cidr: 10.0.0.0/8, except: [10.2.0.0/16]}, {cidr: 10.1.0.0/16}", true, false);
	expect_peers("{workloads: '*'}, {workloads: a=x}", true, false);
	expect_peers("{namespaces: team=red}, {workloads: a=x}", true, false);
	expect_peers("{namespaces: team=blue}, {workloads: a=x}", false, false);
	expect_peers("{namespaces: '*'}, {workloads: '*', namespaces: team}", true, false);
	expect_peers("{workloads: a=x}, {workloads: a=x}", true, true);
}

static void expect_ports(const char *outer_text, const char *inner_text, bool expected)
{
	_cleanup_free_ char *problem = NULL;
	struct policy_port outer, inner;

	assert_int_equal(port_parse(outer_text, &outer, &problem), 0);
	assert_int_equal(port_parse(inner_text, &inner, &problem), 0);
	assert_int_equal(port_covers(&outer, &inner), expected);
	free(outer.name);
	free(inner.name);
}

static void test_ports(void **state)
{
	(void)state;
	expect_ports("tcp", "tcp/80", true);
	expect_ports("tcp/80", "tcp", false);
	expect_ports("tcp", "tcp/http", true);
	expect_ports("tcp/1-65535", "tcp/http", true);
	expect_ports("tcp/80", "tcp/http", false);
	expect_ports("tcp/http", "tcp/80", false);
	expect_ports("tcp/http", "tcp/http", true);
	expect_ports("tcp/http", "udp/http", false);
	expect_ports("tcp/80-90", "tcp/85-90", true);
	expect_ports("tcp/80-90", "tcp/85-91", false);
	expect_ports("icmp/3", "icmp/3/4", true);
}

static struct policy_peer cidr(const char *text, const char *const *except, size_t count)
{
	struct policy_peer peer = {.kind = PEER_CIDR, .except_count = count};

	assert_int_equal(prefix_parse(text, &peer.cidr), 0);
	peer.except = calloc(count + 1, sizeof(*peer.except));
	for (size_t i = 0; i < count; i++)
		assert_int_equal(prefix_parse(except[i], &peer.except[i]), 0);
	return peer;
}

static void test_empty_cidr(void **state)
{
	static const char *const halves[] = {"10.0.0.0/9", "10.128.0.0/10", "10.192.0.0/10"};
	static const char *const six[] = {"fd00::/17", "fd00:8000::/17"};
	struct policy_peer whole = cidr("10.0.0.0/8", halves, 3);
	struct policy_peer part = cidr("10.0.0.0/8", halves, 2);
	struct policy_peer wide = cidr("fd00::/16", six, 2);

	(void)state;
	assert_true(cidr_is_empty(&whole));
	assert_false(cidr_is_empty(&part));
	assert_true(cidr_is_empty(&wide));
	part.except_count = 0;
	assert_false(cidr_is_empty(&part));
	free(whole.except);
	free(part.except);
	free(wide.except);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_selectors),
		cmocka_unit_test(test_peers),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_empty_cidr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
