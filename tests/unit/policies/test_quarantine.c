/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/quarantine.h"

#include "cluster.h"

#include <errno.h>
#include <netinet/in.h>

#define QUARANTINE(name, spec)                                                     \
	"---\n{apiVersion: segctl.io/v1, kind: Quarantine, metadata: {name: " name \
	", namespace: shop}, spec: " spec "}\n"
/* Two workloads that no policy could tell apart, and two others. */
#define PODS                                         \
	POD("shop", "web-1", "app: web", "10.0.0.1") \
	POD("shop", "web-2", "app: web", "10.0.0.2") \
	POD("shop", "db", "app: db", "10.0.0.3")     \
	POD("lab", "scope", "role: forensics", "10.0.0.4")
#define OPEN_TO_ALL \
	ADMIN("open", "{subject: '*', tier: admin, priority: 0, ingress: [{}], egress: [{}]}")

static struct evaluation judge(
	const struct cluster *cluster, const char *from, const char *to, uint16_t port)
{
	struct flow_query query = {.protocol = IPPROTO_TCP, .port = port};

	assert_int_equal(address_parse(from, &query.source), 0);
	assert_int_equal(address_parse(to, &query.destination), 0);
	return evaluate(cluster->ir, &query);
}

static void is(const struct cluster *cluster, const char *from, const char *to, uint16_t port,
	enum verdict verdict)
{
	assert_int_equal(judge(cluster, from, to, port).verdict, verdict);
}

static void test_one_of_two_alike(void **state)
{
	_cleanup_cluster_ struct cluster free_ones, cluster;

	(void)state;
	cluster_open(PODS OPEN_TO_ALL, &free_ones);
	cluster_open(PODS OPEN_TO_ALL QUARANTINE("web-1", "{reason: odd}"), &cluster);
	for (int i = 0; i < 2; i++) {
		const struct cluster *one = i ? &cluster : &free_ones;
		enum verdict verdict = i ? VERDICT_DENY : VERDICT_ALLOW;

		is(one, "10.0.0.3", "10.0.0.1", 80, verdict);
		is(one, "10.0.0.1", "10.0.0.3", 80, verdict);
		is(one, "10.0.0.1", "192.0.2.1", 53, verdict);
		is(one, "10.0.0.2", "10.0.0.1", 80, verdict);
		is(one, "10.0.0.3", "10.0.0.2", 80, VERDICT_ALLOW);
		is(one, "10.0.0.2", "10.0.0.3", 80, VERDICT_ALLOW);
		is(one, "10.0.0.1", "10.0.0.1", 80, VERDICT_ALLOW);
	}
}

static void test_allow_list(void **state)
{
	_cleanup_cluster_ struct cluster cluster;

	(void)state;
	cluster_open(
		PODS SEGMENT("nobody", "{subject: app=web, ingress: [], egress: []}") QUARANTINE(
			"web-1",
			"{reason: odd, allow: [{from: [{cidr: 192.0.2.0/24}], ports: [tcp/22]}, "
			"{from: [{workloads: role=forensics, namespaces: '*'}]}]}"),
		&cluster);
	is(&cluster, "192.0.2.7", "10.0.0.1", 22, VERDICT_ALLOW);
	is(&cluster, "192.0.2.7", "10.0.0.2", 22, VERDICT_DENY);
	is(&cluster, "192.0.2.7", "10.0.0.1", 23, VERDICT_DENY);
	is(&cluster, "198.51.100.1", "10.0.0.1", 22, VERDICT_DENY);
	is(&cluster, "10.0.0.4", "10.0.0.1", 80, VERDICT_ALLOW);
	/* They come in; it does not get out to them. */
	is(&cluster, "10.0.0.1", "10.0.0.4", 80, VERDICT_DENY);
	is(&cluster, "10.0.0.1", "192.0.2.7", 22, VERDICT_DENY);
}

static void test_rule_tells_the_reason(void **state)
{
	_cleanup_cluster_ struct cluster cluster;
	struct evaluation evaluation;
	const struct ir_rule *rule;
	char text[128];

	(void)state;
	cluster_open(PODS QUARANTINE("web-1", "{reason: odd DNS traffic}"), &cluster);
	evaluation = judge(&cluster, "10.0.0.3", "10.0.0.1", 80);
	rule = &cluster.ir->rules[evaluation.ingress.rule];
	assert_int_equal(rule->tier, TIER_QUARANTINE);
	assert_string_equal(
		ir_rule_format(rule, text, sizeof(text)), "quarantined: odd DNS traffic");
}

static void test_node_is_kept_out(void **state)
{
	const struct ir_options options = {.posture = POSTURE_ALLOW};

	(void)state;
	for (int allowed = 0; allowed < 2; allowed++) {
		_cleanup_cluster_ struct cluster cluster = {0};
		struct address node;
		struct evaluation evaluation;

		cluster_open(allowed ? PODS QUARANTINE("web-1",
					       "{reason: odd, allow: [{from: [{entity: host}]}]}")
				     : PODS QUARANTINE("web-1", "{reason: odd}"),
			&cluster);
		assert_int_equal(address_parse("10.0.0.254", &node), 0);
		assert_int_equal(model_add_host_address(cluster.model, &node), 0);
		assert_int_equal(model_finish(cluster.model, NULL), 0);
		ir_free(cluster.ir);
		cluster.ir = NULL;
		assert_int_equal(
			ir_compile(&cluster.documents, cluster.model, &options, &cluster.ir, NULL),
			0);
		evaluation = judge(&cluster, "10.0.0.254", "10.0.0.1", 80);
		assert_int_equal(evaluation.verdict, allowed ? VERDICT_ALLOW : VERDICT_DENY);
		is(&cluster, "10.0.0.254", "10.0.0.2", 80, VERDICT_ALLOW);
	}
}

static void test_refuses(void **state)
{
	static const char *const specs[] = {
		"{}",
		"{reason: ''}",
		"{reason: \"\\e[2J\"}",
		"{reason: odd, allow: [{}]}",
		"{reason: odd, allow: [{from: []}]}",
		"{reason: odd, allow: [{from: [{cidr: 10.0.0.0/33}]}]}",
		"{reason: odd, allow: [{from: [{entity: host}], action: deny}]}",
		"{reason: odd, deny: []}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		struct diagnostics diagnostics = DIAGNOSTICS_INIT;
		struct document_list list = {0};
		_cleanup_free_ char *text = NULL;

		assert_true(asprintf(&text, QUARANTINE("web", "%s"), specs[i]) > 0);
		assert_int_equal(
			documents_parse(&list, "test", text, strlen(text), &diagnostics), -EINVAL);
		assert_int_equal(list.count, 0);
		diagnostics_clear(&diagnostics);
	}
}

static void test_names_of_runtimes(void **state)
{
	_cleanup_cluster_ struct cluster cluster;

	(void)state;
	cluster_open(QUARANTINE("My_App.1", "{reason: odd}"), &cluster);
	assert_string_equal(cluster.documents.items[0]->name, "My_App.1");
	assert_false(document_is_applied(cluster.documents.items[0]));
	assert_true(document_is_policy(cluster.documents.items[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_of_two_alike),
		cmocka_unit_test(test_allow_list),
		cmocka_unit_test(test_rule_tells_the_reason),
		cmocka_unit_test(test_node_is_kept_out),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_names_of_runtimes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
