/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order in which things decide, one clause of the specification a test. Each refusal stands
 * beside the same query where it passes. */
#include "policies/evaluate.h"
#include "policies/model.h"

#include "base/cleanup.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define WEB   "10.0.0.1"
#define API   "10.0.0.2"
#define OTHER "10.0.1.1" /* app=web in namespace other */
#define NODE  "192.0.2.1"
#define WORLD "203.0.113.7"
#define FAR   "10.0.0.9" /* a workload of another node */

#define POD(namespace, name, labels, address)                                                     \
	"---\n{apiVersion: v1, kind: Pod, metadata: {name: " name                                 \
	", namespace: " namespace ", labels: {" labels                                            \
				  "}}, spec: {containers: [{ports: [{name: http, containerPort: " \
				  "8080}]}]}, status: {podIP: " address "}}\n"
#define PODS                                   \
	POD("default", "web", "app: web", WEB) \
	POD("default", "api", "app: api", API) \
	POD("other", "web", "app: web", OTHER) POD("default", "far", "app: far", FAR)
#define SEGMENT(name, spec)                                                           \
	"---\n{apiVersion: segctl.io/v1, kind: SegmentPolicy, metadata: {name: " name \
	"}, spec: " spec "}\n"

static struct ir *compile(const char *policies, const struct ir_options *options)
{
	_cleanup_(documents_clear) struct document_list list = {0};
	_cleanup_(model_freep) struct model *model = NULL;
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	struct address node;
	struct ir *ir = NULL;

	if (documents_parse(&list, "pods", PODS, strlen(PODS), &diagnostics) < 0 ||
		documents_parse(&list, "test", policies, strlen(policies), &diagnostics) < 0) {
		diagnostics_print(&diagnostics, stderr);
		fail_msg("does not parse");
	}
	diagnostics_clear(&diagnostics);
	assert_int_equal(model_new(&model), 0);
	assert_int_equal(documents_to_model(&list, model, NULL), 0);
	for (size_t i = 0; i < model->workloads_count; i++)
		model->workloads[i].remote = !strcmp(model->workloads[i].name, "far");
	address_parse(NODE, &node);
	assert_int_equal(model_add_host_address(model, &node), 0);
	assert_int_equal(model_finish(model, NULL), 0);
	assert_int_equal(ir_compile(&list, model, options, &ir, NULL), 0);
	return ir;
}

static struct evaluation ask(
	const struct ir *ir, const char *from, const char *to, uint8_t protocol, uint16_t port)
{
	struct flow_query query = {.protocol = protocol, .port = port};

	assert_int_equal(address_parse(from, &query.source), 0);
	assert_int_equal(address_parse(to, &query.destination), 0);
	return evaluate(ir, &query);
}

/* Whether a TCP connection from one to the other passes under these policies. */
static bool passes(const char *policies, const char *from, const char *to, uint16_t port)
{
	const struct ir_options options = {.posture = POSTURE_ALLOW};
	_cleanup_(ir_freep) struct ir *ir = compile(policies, &options);

	return ask(ir, from, to, IPPROTO_TCP, port).verdict == VERDICT_ALLOW;
}

#define DENY_ALL SEGMENT("deny-all", "{subject: '*', ingress: [], egress: []}")
#define WEB_TO_API                                                                           \
	SEGMENT("web", "{subject: app=web, egress: [{to: [{workloads: app=api}], ports: "    \
		       "[tcp/http]}]}")                                                      \
	SEGMENT("api", "{subject: app=api, ingress: [{from: [{workloads: app=web}], ports: " \
		       "[tcp/http]}]}")

static void test_isolation(void **state)
{
	(void)state;
	assert_true(passes("", WEB, API, 80));
	assert_false(passes(DENY_ALL, WEB, API, 80));
	assert_false(passes(DENY_ALL, WORLD, API, 80));
	assert_false(passes(DENY_ALL, WEB, WORLD, 80));
	assert_true(passes(DENY_ALL WEB_TO_API, WEB, API, 8080));
	assert_false(passes(DENY_ALL WEB_TO_API, WEB, API, 80));
	assert_false(passes(DENY_ALL WEB_TO_API, API, WEB, 8080));
	/* The namespace other is not the policies'. */
	assert_false(passes(DENY_ALL WEB_TO_API, OTHER, API, 8080));
	assert_true(passes(DENY_ALL, OTHER, WORLD, 80));
}

static void test_node_and_self(void **state)
{
	const struct ir_options options = {.restrict_node = true};
	_cleanup_(ir_freep) struct ir *ir = compile(DENY_ALL, &options);

	(void)state;
	assert_true(passes(DENY_ALL, NODE, API, 80));
	assert_int_equal(ask(ir, NODE, API, IPPROTO_TCP, 80).verdict, VERDICT_DENY);
	/* The way back is a connection of its own. */
	assert_false(passes(DENY_ALL, API, NODE, 80));
	assert_true(passes("", API, NODE, 80));
	assert_true(passes(DENY_ALL, API, API, 80));
	assert_int_equal(ask(ir, API, API, IPPROTO_TCP, 80).ingress.rule, IR_RULE_SELF);
	assert_int_equal(ask(ir, NODE, WORLD, IPPROTO_TCP, 80).verdict, VERDICT_ALLOW);
}

static void test_entities(void **state)
{
	const char *host = SEGMENT("a", "{subject: app=api, egress: [{to: [{entity: host}]}]}");
	const char *world = SEGMENT("a", "{subject: app=api, egress: [{to: [{entity: world}]}]}");
	const char *all = SEGMENT("a", "{subject: app=api, egress: [{to: [{entity: all}]}]}");
	const char *cidr = SEGMENT("a", "{subject: app=api, egress: [{to: [{cidr: 10.0.0.0/16, "
					"except: [10.0.1.0/24]}]}]}");

	(void)state;
	assert_true(passes(host, API, NODE, 1));
	assert_false(passes(host, API, WORLD, 1));
	assert_false(passes(host, API, WEB, 1));
	assert_true(passes(world, API, WORLD, 1));
	assert_false(passes(world, API, NODE, 1));
	assert_false(passes(world, API, WEB, 1));
	assert_true(passes(all, API, WORLD, 1));
	assert_true(passes(all, API, NODE, 1));
	assert_true(passes(all, API, WEB, 1));
	assert_true(passes(cidr, API, WEB, 1));
	assert_false(passes(cidr, API, OTHER, 1));
	assert_false(passes(cidr, API, WORLD, 1));
}

static void test_remote_workloads_are_peers_only(void **state)
{
	const char *from_far =
		SEGMENT("a", "{subject: app=api, ingress: [{from: [{workloads: app=far}]}]}");

	(void)state;
	assert_true(passes(DENY_ALL, FAR, WORLD, 80));
	assert_true(passes(from_far, FAR, API, 80));
	assert_false(passes(from_far, WEB, API, 80));
}

#define ADMIN(name, priority, action)                                    \
	SEGMENT(name, "{subject: '*', tier: admin, priority: " #priority \
		      ", ingress: [{ports: [tcp/80], action: " action "}]}")
#define BASELINE(action)                                                              \
	SEGMENT("base", "{subject: '*', tier: baseline, ingress: [{ports: [tcp/80], " \
			"action: " action "}]}")

static void test_tiers(void **state)
{
	(void)state;
	assert_false(passes(ADMIN("a", 1, "deny"), WEB, API, 80));
	assert_true(passes(ADMIN("a", 1, "deny"), WEB, API, 81));
	assert_true(passes(ADMIN("a", 1, "allow") ADMIN("b", 2, "deny"), WEB, API, 80));
	assert_false(passes(ADMIN("a", 1, "allow") ADMIN("b", 1, "deny"), WEB, API, 80));
	/* Above isolation, in both senses. */
	assert_true(passes(
		ADMIN("a", 1, "allow") SEGMENT("i", "{subject: '*', ingress: []}"), WEB, API, 80));
	assert_false(passes(
		ADMIN("a", 1, "pass") SEGMENT("i", "{subject: '*', ingress: []}"), WEB, API, 80));
	assert_true(passes(ADMIN("a", 1, "pass") ADMIN("b", 2, "deny"), WEB, API, 80));
	/* Baseline is asked where nothing isolates. */
	assert_false(passes(BASELINE("deny"), WEB, API, 80));
	assert_true(passes(
		BASELINE("deny") SEGMENT("i", "{subject: '*', ingress: [{}]}"), WEB, API, 80));
	assert_false(passes(
		BASELINE("allow") SEGMENT("i", "{subject: '*', ingress: []}"), WEB, API, 80));
}

#define CLUSTER(rules)                                                                      \
	"---\n{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, " \
	"metadata: {name: c}, spec: {tier: Admin, priority: 5, subject: {namespaces: {}}, " \
	"ingress: [" rules "]}}\n"
#define ACCEPT_WEB                                                             \
	"{action: Accept, from: [{pods: {namespaceSelector: {}, podSelector: " \
	"{matchLabels: {app: web}}}}], protocols: [{destinationNamedPort: http}]}"
#define DENY_PODS "{action: Deny, from: [{namespaces: {}}]}"

static void test_cluster_rules_are_in_order(void **state)
{
	(void)state;
	assert_true(passes(CLUSTER(ACCEPT_WEB ", " DENY_PODS), WEB, API, 8080));
	assert_false(passes(CLUSTER(ACCEPT_WEB ", " DENY_PODS), WEB, API, 80));
	assert_false(passes(CLUSTER(DENY_PODS ", " ACCEPT_WEB), WEB, API, 8080));
	assert_true(passes(CLUSTER(DENY_PODS), WORLD, API, 80));
}

static void test_deny_beats_allow(void **state)
{
	const char *deny = SEGMENT("z", "{subject: '*', ingress: [{from: [{cidr: 10.0.0.1/32}], "
					"action: deny}]}");
	_cleanup_free_ char *both = NULL;

	(void)state;
	assert_true(
		asprintf(&both, "%s%s", SEGMENT("a", "{subject: '*', ingress: [{}]}"), deny) > 0);
	assert_false(passes(both, WEB, API, 80));
	assert_true(passes(both, OTHER, API, 80));
	/* A denial alone does not isolate. */
	assert_false(passes(deny, WEB, API, 80));
	assert_true(passes(deny, OTHER, API, 80));
}

static void test_audit(void **state)
{
	const struct ir_options allow = {.posture = POSTURE_ALLOW}, audit = {POSTURE_AUDIT, false};
	_cleanup_(ir_freep) struct ir *policy = compile(
		SEGMENT("a", "{subject: app=api, mode: audit, ingress: [{ports: [tcp/80]}]}"),
		&allow);
	_cleanup_(ir_freep) struct ir *posture =
		compile(SEGMENT("a", "{subject: app=api, ingress: [{ports: [tcp/80]}]}"), &audit);
	struct evaluation found = ask(policy, WEB, API, IPPROTO_TCP, 81);

	(void)state;
	assert_int_equal(found.verdict, VERDICT_ALLOW);
	assert_int_equal(found.direction, DIRECTION_INGRESS);
	assert_int_equal(found.ingress.flags, DECISION_AUDIT);
	assert_int_equal(policy->rules[found.ingress.rule].index, -1);
	assert_int_equal(ask(policy, WEB, API, IPPROTO_TCP, 80).ingress.flags, 0);

	found = ask(posture, WEB, WORLD, IPPROTO_TCP, 80);
	assert_int_equal(found.verdict, VERDICT_ALLOW);
	assert_int_equal(found.egress.flags, DECISION_AUDIT);
	assert_int_equal(found.egress.rule, IR_RULE_DEFAULT);
	found = ask(posture, WORLD, API, IPPROTO_TCP, 81);
	assert_int_equal(found.verdict, VERDICT_DENY);
	assert_int_equal(ask(posture, WORLD, API, IPPROTO_TCP, 80).ingress.flags, 0);
}

static void test_default_deny_posture(void **state)
{
	const struct ir_options options = {.posture = POSTURE_DENY};
	_cleanup_(ir_freep) struct ir *ir =
		compile(SEGMENT("a", "{subject: app=api, ingress: [{}]}"), &options);

	(void)state;
	assert_int_equal(ask(ir, WORLD, API, IPPROTO_TCP, 80).verdict, VERDICT_ALLOW);
	assert_int_equal(ask(ir, WORLD, WEB, IPPROTO_TCP, 80).verdict, VERDICT_DENY);
	assert_int_equal(ask(ir, WORLD, WEB, IPPROTO_TCP, 80).ingress.rule, IR_RULE_DEFAULT);
	assert_int_equal(ask(ir, NODE, WEB, IPPROTO_TCP, 80).verdict, VERDICT_ALLOW);
}

static void test_protocols(void **state)
{
	const struct ir_options options = {.posture = POSTURE_ALLOW};
	_cleanup_(ir_freep) struct ir *ir = compile(
		SEGMENT("a", "{subject: app=api, ingress: [{ports: [icmp/echo-request, udp, "
			     "sctp/1-9]}]}"),
		&options);

	(void)state;
	assert_int_equal(ask(ir, WEB, API, IPPROTO_ICMP, 8 << 8).verdict, VERDICT_ALLOW);
	assert_int_equal(ask(ir, WEB, API, IPPROTO_ICMP, 13 << 8).verdict, VERDICT_DENY);
	assert_int_equal(ask(ir, WEB, API, IPPROTO_UDP, 65535).verdict, VERDICT_ALLOW);
	assert_int_equal(ask(ir, WEB, API, IPPROTO_TCP, 65535).verdict, VERDICT_DENY);
	assert_int_equal(ask(ir, WEB, API, IPPROTO_SCTP, 9).verdict, VERDICT_ALLOW);
	assert_int_equal(ask(ir, WEB, API, IPPROTO_SCTP, 10).verdict, VERDICT_DENY);
	assert_int_equal(ask(ir, WEB, API, IPPROTO_GRE, 0).verdict, VERDICT_DENY);
}

/* Addresses of few bits, so that prefixes nest often. */
static struct address narrow_address(unsigned int random)
{
	uint8_t bytes[4] = {10, (uint8_t)(random & 3), (uint8_t)(random >> 2 & 7),
		(uint8_t)(random >> 5 & 255)};
	uint8_t wide[16] = {0xfd, [14] = (uint8_t)(random & 15), [15] = (uint8_t)(random >> 4)};

	return random >> 20 & 1 ? address_from_ipv6(wide) : address_from_ipv4(bytes);
}

static int compare_prefixes(const void *a, const void *b)
{
	return prefix_compare(
		&((const struct ir_prefix *)a)->prefix, &((const struct ir_prefix *)b)->prefix);
}

static uint32_t longest_of_all(const struct ir *ir, const struct address *address)
{
	const struct ir_prefix *best = NULL;

	for (size_t i = 0; i < ir->prefixes_count; i++)
		if (prefix_contains(&ir->prefixes[i].prefix, address) &&
			(!best || best->prefix.length < ir->prefixes[i].prefix.length))
			best = &ir->prefixes[i];
	return best ? best->class : 0;
}

static void test_longest_prefix(void **state)
{
	struct ir_prefix prefixes[400] = {0};
	struct ir ir = {.prefixes = prefixes, .prefixes_count = ARRAY_SIZE(prefixes)};
	unsigned int random = 1;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		char text[PREFIX_TEXT_MAX + 8], address_text[ADDRESS_TEXT_MAX];
		struct address address = narrow_address(random = random * 1103515245 + 12345);

		snprintf(text, sizeof(text), "%s/%u", address_format(&address, address_text),
			address_is_ipv4(&address) ? (random >> 8) % 33 : (random >> 8) % 129);
		assert_int_not_equal(prefix_parse(text, &prefixes[i].prefix), -EINVAL);
		prefixes[i].class = (uint32_t)i + 1;
	}
	qsort(prefixes, ARRAY_SIZE(prefixes), sizeof(*prefixes), compare_prefixes);
	/* The same prefix twice is in no IR. */
	for (size_t i = 1; i < ARRAY_SIZE(prefixes); i++)
		if (!prefix_compare(&prefixes[i].prefix, &prefixes[i - 1].prefix))
			prefixes[i].class = prefixes[i - 1].class;
	for (unsigned int i = 0; i < 20000; i++) {
		struct address address = narrow_address(random = random * 1103515245 + 12345);

		assert_int_equal(evaluate_class(&ir, &address), longest_of_all(&ir, &address));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_longest_prefix),
		cmocka_unit_test(test_isolation),
		cmocka_unit_test(test_node_and_self),
		cmocka_unit_test(test_entities),
		cmocka_unit_test(test_remote_workloads_are_peers_only),
		cmocka_unit_test(test_tiers),
		cmocka_unit_test(test_cluster_rules_are_in_order),
		cmocka_unit_test(test_deny_beats_allow),
		cmocka_unit_test(test_audit),
		cmocka_unit_test(test_default_deny_posture),
		cmocka_unit_test(test_protocols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
