/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which rule is nearest, and which of its conditions failed. The prepared misconfigurations of
 * tests/golden/trace show the words; here are the kinds, and what random policies make of them. */
#include "policies/near_miss.h"

#include "cluster.h"
#include "random_policies.h"

#include <errno.h>
#include <netinet/in.h>

#define WEB   "10.0.0.1"
#define API   "10.0.0.2"
#define OTHER "10.0.1.1"
#define WORLD "203.0.113.7"

#define PODS                                \
	NAMESPACE("shop", "team: payments") \
	POD("shop", "web", "app: web", WEB) \
	POD("shop", "api", "app: api, env: prod", API) POD("other", "web", "app: web", OTHER)

static struct flow_query question(const char *from, const char *to, uint8_t protocol, uint16_t port)
{
	struct flow_query query = {.protocol = protocol, .port = port};

	assert_int_equal(address_parse(from, &query.source), 0);
	assert_int_equal(address_parse(to, &query.destination), 0);
	return query;
}

static int find(const struct cluster *cluster, const struct flow_query *query,
	enum direction direction, struct near_miss *ret)
{
	struct evaluation evaluation = evaluate(cluster->ir, query);

	return near_miss_find(&cluster->documents, cluster->model, cluster->ir, query, &evaluation,
		direction, ret);
}

/* TCP from one to the other is refused in the direction; the nearest rule is NAME[index], and this
 * alone failed. */
static void expect_one(const char *policies, const char *from, const char *to, uint16_t port,
	enum direction direction, const char *name, int index, enum unmet_kind kind)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_cluster_ struct cluster cluster;
	struct flow_query query = question(from, to, IPPROTO_TCP, port);
	struct near_miss miss;

	assert_true(asprintf(&text, "%s%s", PODS, policies) > 0);
	cluster_open(text, &cluster);
	assert_int_equal(find(&cluster, &query, direction, &miss), 0);
	assert_string_equal(miss.document ? miss.document->name : "", name);
	assert_int_equal(miss.index, index);
	assert_int_equal(miss.unmet_count, 1);
	assert_string_equal(unmet_kind_name(miss.unmet[0].kind), unmet_kind_name(kind));
	assert_int_equal(miss.direction, direction);
	near_miss_clear(&miss);
}

static void test_labels(void **state)
{
	(void)state;
	expect_one(SEGMENT("a", "{subject: app=api, ingress: [{from: [{workloads: app=wbe}]}]}"),
		WEB, API, 80, DIRECTION_INGRESS, "a", 0, UNMET_LABELS);
	/* Of a far rule and of a slip the slip. */
	expect_one(
		SEGMENT("a", "{subject: app=api, ingress: [{from: [{workloads: app=db}]}, {from: "
			     "[{workloads: role=x}, {workloads: app=wbe}]}]}"),
		WEB, API, 80, DIRECTION_INGRESS, "a", 1, UNMET_LABELS);
	/* The subject, too. */
	expect_one(SEGMENT("a", "{subject: '*', ingress: []}") SEGMENT("b",
			   "{subject: 'app=api,env=porduction', ingress: [{from: [{workloads: "
			   "app=web}]}]}"),
		WEB, API, 80, DIRECTION_INGRESS, "b", 0, UNMET_LABELS);
}

static void test_namespaces(void **state)
{
	(void)state;
	expect_one(SEGMENT("a", "{subject: app=api, ingress: [{from: [{namespaces: team=pay}]}]}"),
		WEB, API, 80, DIRECTION_INGRESS, "a", 0, UNMET_NAMESPACE_LABELS);
	expect_one(SEGMENT("a", "{subject: app=api, ingress: [{from: [{workloads: app=web}]}]}"),
		OTHER, API, 80, DIRECTION_INGRESS, "a", 0, UNMET_NAMESPACE);
	/* Its peers move with the policy: one mistake, not two. */
	expect_one(SEGMENT("a", "{subject: '*', ingress: []}") NETWORK("default", "b",
			   "{podSelector: {matchLabels: {app: api}}, ingress: [{from: "
			   "[{podSelector: {matchLabels: {app: web}}}]}]}"),
		WEB, API, 80, DIRECTION_INGRESS, "b", 0, UNMET_POLICY_NAMESPACE);
}

static void test_addresses(void **state)
{
	const char *policy =
		SEGMENT("a", "{subject: app=api, ingress: [{from: [{cidr: 192.0.2.0/24}, "
			     "{cidr: 203.0.0.0/16, except: [203.0.113.0/28]}]}]}");

	(void)state;
	expect_one(policy, WORLD, API, 80, DIRECTION_INGRESS, "a", 0, UNMET_EXCEPT);
	expect_one(policy, WEB, API, 80, DIRECTION_INGRESS, "a", 0, UNMET_CIDR);
	expect_one(SEGMENT("a", "{subject: app=api, ingress: [{from: [{entity: world}]}]}"), WEB,
		API, 80, DIRECTION_INGRESS, "a", 0, UNMET_ENTITY);
	expect_one(SEGMENT("a", "{subject: app=api, ingress: [{from: [{workloads: app=web}]}]}"),
		WORLD, API, 80, DIRECTION_INGRESS, "a", 0, UNMET_LABELS);
}

static void test_ports(void **state)
{
	const char *api = "{subject: app=api, ingress: [{ports: [%s]}]}";
	static const struct {
		const char *ports;
		uint16_t port;
		enum unmet_kind kind;
	} cases[] = {
		{"tcp/80", 81, UNMET_PORT},
		{"tcp/8000-8099", 8100, UNMET_PORT},
		{"udp/80", 80, UNMET_PROTOCOL},
		{"tcp/htpp", 8080, UNMET_PORT_NAME},
		{"tcp/metrics", 9090, UNMET_PORT_NAME},
		{"tcp/http", 80, UNMET_PORT},
		{"tcp/1, udp/8080, tcp/2", 8080, UNMET_PROTOCOL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *spec = NULL, *text = NULL;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		assert_true(asprintf(&spec, api, cases[i].ports) > 0);
#pragma GCC diagnostic pop
		assert_true(
			asprintf(&text,
				"---\n{apiVersion: segctl.io/v1, kind: SegmentPolicy, metadata: "
				"{name: a, namespace: shop}, spec: %s}\n",
				spec) > 0);
		expect_one(text, WEB, API, cases[i].port, DIRECTION_INGRESS, "a", 0, cases[i].kind);
	}
}

#define WEB_TO_API "{subject: app=api, ingress: [{from: [{workloads: app=web}]}]}"

static void test_what_comes_first(void **state)
{
	(void)state;
	expect_one(SEGMENT("a", WEB_TO_API)
			   ADMIN("guard", "{tier: admin, subject: '*', ingress: [{action: deny}]}"),
		WEB, API, 80, DIRECTION_INGRESS, "a", 0, UNMET_PRECEDENCE);
	/* Nothing allows: then the denial itself is the cause. */
	expect_one(ADMIN("guard", "{tier: admin, subject: '*', ingress: [{action: deny}]}"), WEB,
		API, 80, DIRECTION_INGRESS, "guard", 0, UNMET_PRECEDENCE);
	/* An exception to it that is mistyped is nearer. */
	expect_one(ADMIN("guard", "{tier: admin, subject: '*', ingress: [{action: deny}]}") ADMIN(
			   "hole", "{tier: admin, priority: 1, subject: '*', ingress: [{from: "
				   "[{workloads: app=wbe}]}]}"),
		WEB, API, 80, DIRECTION_INGRESS, "hole", 0, UNMET_LABELS);
	expect_one(SEGMENT("a", "{subject: '*', ingress: []}") ADMIN("base",
			   "{tier: baseline, subject: '*', ingress: [{from: [{workloads: '*'}]}]}"),
		WEB, API, 80, DIRECTION_INGRESS, "base", 0, UNMET_PRECEDENCE);
	expect_one(SEGMENT("a", "{subject: '*', ingress: []}") SEGMENT("b",
			   "{mode: audit, subject: app=api, ingress: [{from: [{workloads: "
			   "app=web}]}]}"),
		WEB, API, 80, DIRECTION_INGRESS, "b", 0, UNMET_MODE);
}

static void test_what_is_missing(void **state)
{
	(void)state;
	expect_one(SEGMENT("deny", "{subject: '*', ingress: [], egress: []}")
			   SEGMENT("a", WEB_TO_API) SEGMENT("b",
				   "{subject: app=web, egress: [{to: [{workloads: app=db}], ports: "
				   "[tcp/5432]}]}"),
		WEB, API, 80, DIRECTION_EGRESS, "b", -1, UNMET_RULE);
	expect_one(NETWORK("shop", "deny", "{podSelector: {}, policyTypes: [Egress]}") NETWORK(
			   "shop", "a",
			   "{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], "
			   "ingress: [{}], egress: [{to: [{podSelector: {}}]}]}"),
		WEB, API, 80, DIRECTION_EGRESS, "a", 0, UNMET_DIRECTION);
}

static void test_nothing_to_explain(void **state)
{
	_cleanup_cluster_ struct cluster cluster;
	struct flow_query query = question(WEB, API, IPPROTO_TCP, 80);
	struct near_miss miss;

	(void)state;
	cluster_open(PODS SEGMENT("a", WEB_TO_API), &cluster);
	assert_int_equal(find(&cluster, &query, DIRECTION_INGRESS, &miss), -ENOENT);
	assert_int_equal(find(&cluster, &query, DIRECTION_EGRESS, &miss), -ENOENT);
}

/* --- random policies ---------------------------------------------------------------------------
 */

static char *random_text(unsigned int policies)
{
	char *text = NULL;
	FILE *stream = open_memstream(&text, &(size_t){0});

	print_models(stream);
	for (unsigned int i = 0; i < policies; i++)
		print_policy(stream, i);
	assert_int_equal(fclose(stream), 0);
	return text;
}

static struct flow_query random_question(const struct model *model)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP};
	static const uint16_t ports[] = {1, 53, 70, 80, 90, 2048, 8080};
	const struct model_workload *source =
		&model->workloads[random_below((unsigned int)model->workloads_count)];
	const struct model_workload *destination =
		&model->workloads[random_below((unsigned int)model->workloads_count)];

	return (struct flow_query){source->addresses[0], destination->addresses[0],
		protocols[random_below(ARRAY_SIZE(protocols))],
		ports[random_below(ARRAY_SIZE(ports))]};
}

/* A refusal always has a cause, and what is allowed has none: the conditions here and the resolver
 * share no code, so they check each other. */
static void test_random(void **state)
{
	size_t explained = 0;

	(void)state;
	for (unsigned int seed = 1; seed <= 400; seed++) {
		_cleanup_free_ char *text = NULL;
		_cleanup_cluster_ struct cluster cluster;

		random_state = seed * 2654435761u;
		text = random_text(1 + random_below(6));
		cluster_open(text, &cluster);
		for (int i = 0; i < 60; i++) {
			struct flow_query query = random_question(cluster.model);
			struct evaluation evaluation = evaluate(cluster.ir, &query);

			for (int d = 0; d < DIRECTION_COUNT; d++) {
				const struct decision *decision = d == DIRECTION_EGRESS
									  ? &evaluation.egress
									  : &evaluation.ingress;
				struct near_miss miss;
				int r = find(&cluster, &query, (enum direction)d, &miss);

				if (decision->verdict == VERDICT_ALLOW &&
					!(decision->flags & DECISION_AUDIT)) {
					assert_int_equal(r, -ENOENT);
					continue;
				}
				if (r < 0 || !miss.unmet_count)
					fail_msg(
						"seed %u: %d, refused without a cause by %s in\n%s",
						seed, r, miss.document ? miss.document->name : "-",
						text);
				explained++;
				near_miss_clear(&miss);
			}
		}
	}
	assert_true(explained > 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_what_comes_first),
		cmocka_unit_test(test_what_is_missing),
		cmocka_unit_test(test_nothing_to_explain),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
