/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each finding beside the same text without the mistake; and what findings claim, held against
 * random policies. */
#include "policies/lint.h"

#include "cluster.h"
#include "policies/policy.h"
#include "random_policies.h"

#define PODS                                       \
	NAMESPACE("shop", "team: payments")        \
	POD("shop", "web", "app: web", "10.0.0.1") \
	POD("shop", "api", "app: api", "10.0.0.2") \
	POD("other", "job", "app: job", "10.0.1.1")

static void lint_cluster(const struct cluster *cluster, struct diagnostics *diagnostics)
{
	const struct lint_input input = {
		&cluster->documents, &cluster->documents, cluster->model, cluster->ir};

	lint(&input, diagnostics);
	lint_ignore(&cluster->documents, diagnostics);
	diagnostics_sort(diagnostics);
}

/* The codes of all findings, in order, with a space behind each. */
static char *codes_of(const char *policies)
{
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	_cleanup_free_ char *text = NULL;
	_cleanup_cluster_ struct cluster cluster;
	char *codes = NULL;
	FILE *stream;

	assert_true(asprintf(&text, "%s%s", PODS, policies) > 0);
	cluster_open(text, &cluster);
	lint_cluster(&cluster, &diagnostics);
	stream = open_memstream(&codes, &(size_t){0});
	for (size_t i = 0; i < diagnostics.count; i++) {
		assert_int_equal(diagnostics.items[i].severity, DIAGNOSTIC_WARNING);
		assert_true(diagnostics.items[i].location.column > 0);
		fprintf(stream, "%s ", diagnostics.items[i].code);
	}
	fclose(stream);
	diagnostics_clear(&diagnostics);
	return codes;
}

static void expect(const char *policies, const char *codes)
{
	_cleanup_free_ char *found = codes_of(policies);

	assert_string_equal(found, codes);
}

static void test_workloads(void **state)
{
	(void)state;
	expect(SEGMENT("a", "{subject: app=api, ingress: [{from: [{workloads: app=web}]}]}"), "");
	expect(SEGMENT("a", "{subject: app=apy, ingress: [{from: [{workloads: app=web}]}]}"),
		"unmatched-subject ");
	expect(SEGMENT("a", "{subject: app=api, ingress: [{from: [{workloads: app=job}]}]}"),
		"unmatched-peer ");
	expect(SEGMENT("a", "{subject: app=api, ingress: [{from: [{namespaces: team=pay}]}]}"),
		"unmatched-peer ");
	expect(SEGMENT("a", "{subject: app=api, ingress: [{ports: [tcp/http]}]}"), "");
	expect(SEGMENT("a", "{subject: app=api, ingress: [{ports: [tcp/htpp]}]}"),
		"unknown-port-name ");
	expect(SEGMENT("a", "{subject: app=api, ingress: [{ports: [udp/http]}]}"),
		"unknown-port-name ");
	/* One name of a ClusterNetworkPolicy is three ports here; one that is known will do. */
	expect("---\n{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, "
	       "metadata: {name: c}, spec: {tier: Admin, priority: 1, subject: {namespaces: {}}, "
	       "ingress: [{action: Accept, from: [{namespaces: {}}], protocols: "
	       "[{destinationNamedPort: http}]}]}}\n",
		"");
}

static void test_other_end(void **state)
{
	const char *shut = SEGMENT("a",
		"{subject: app=api, ingress: [{from: [{workloads: app=web}], "
		"ports: [tcp/8000-8100]}]}")
		SEGMENT("b", "{subject: app=web, egress: [{ports: [tcp/1-7999, tcp/8101-65535]}]}");
	const char *ajar = SEGMENT("a",
		"{subject: app=api, ingress: [{from: [{workloads: app=web}], "
		"ports: [tcp/8000-8100]}]}")
		SEGMENT("b", "{subject: app=web, egress: [{ports: [tcp/1-7999, tcp/8100-65535]}]}");

	(void)state;
	expect(shut, "egress-forbids ");
	expect(ajar, "");
	expect(SEGMENT("a", "{subject: app=web, egress: [{to: [{workloads: app=api}]}]}")
			SEGMENT("b", "{subject: app=api, ingress: []}"),
		"ingress-forbids ");
	expect(SEGMENT("a", "{subject: app=web, egress: [{to: [{workloads: app=api}], ports: "
			    "[tcp/http]}]}")
			SEGMENT("b", "{subject: app=api, ingress: [{ports: [tcp/8080]}]}"),
		"");
}

#define RULE(rest) "{from: [{workloads: app=web}]" rest "}"

static void test_rules(void **state)
{
	(void)state;
	expect(SEGMENT("a", "{subject: app=api, ingress: [" RULE(", ports: [tcp/80]") ", " RULE(
				    ", ports: [tcp/81]") "]}"),
		"");
	expect(SEGMENT("a", "{subject: app=api, ingress: [" RULE("") ", " RULE("") "]}"),
		"duplicate-rule ");
	expect(SEGMENT("a", "{subject: app=api, ingress: [" RULE("") ", " RULE(
				    ", ports: [tcp/80]") "]}"),
		"redundant-rule ");
	/* It is there to be seen in the log. */
	expect(SEGMENT("a", "{subject: app=api, ingress: [" RULE("") ", " RULE(
				    ", ports: [tcp/80], log: true") "]}"),
		"");
	expect(SEGMENT("a", "{subject: app=api, ingress: [" RULE(", action: deny") ", " RULE(
				    ", ports: [tcp/80]") "]}"),
		"shadowed-rule ");
	expect(ADMIN("a", "{tier: admin, subject: app=api, ingress: [{action: pass}]}")
			SEGMENT("b", "{subject: app=api, ingress: [" RULE("") "]}"),
		"");
	expect(ADMIN("a", "{tier: admin, subject: app=api, ingress: [{action: deny}]}")
			SEGMENT("b", "{subject: app=api, ingress: [" RULE("") "]}"),
		"shadowed-rule ");
	expect(SEGMENT("a", "{tier: baseline, subject: app=api, ingress: [{action: deny}]}")
			SEGMENT("b", "{subject: '*', ingress: [" RULE("") "]}"),
		"shadowed-rule ");
	expect(ADMIN("a", "{tier: admin, subject: app=api, ingress: [{action: deny, ports: "
			  "[tcp/80-90]}]}")
			ADMIN("b", "{tier: admin, subject: '*', ingress: [{ports: [tcp/85]}]}"),
		"contradicting-rules contradicting-rules ");
	expect(ADMIN("a", "{tier: admin, subject: app=api, ingress: [{action: deny, ports: "
			  "[tcp/80-90]}]}")
			ADMIN("b", "{tier: admin, priority: 7, subject: '*', ingress: [{ports: "
				   "[tcp/85]}]}"),
		"");
}

static void test_policies(void **state)
{
	(void)state;
	expect(SEGMENT("a", "{subject: app=api, ingress: []}")
			SEGMENT("b", "{subject: app in (api), ingress: []}"),
		"duplicate-policy ");
	expect(SEGMENT("a", "{subject: app=api, ingress: []}")
			SEGMENT("b", "{subject: app=api, egress: []}"),
		"");
}

static void test_items(void **state)
{
	(void)state;
	expect(SEGMENT("a", "{subject: app=api, ingress: [{from: []}]}"), "empty-peers ");
	expect(SEGMENT("a", "{subject: app=api, ingress: [{}]}"), "");
	expect(SEGMENT("a", "{subject: app=api, ingress: [{from: [{workloads: '*'}, {workloads: "
			    "app=web}]}]}"),
		"redundant-peer ");
	expect(SEGMENT("a", "{subject: app=api, ingress: [{ports: [tcp/80, tcp/80]}]}"),
		"redundant-port ");
	expect(SEGMENT("a", "{subject: app=api, ingress: [{ports: [tcp/80-80]}]}"),
		"end-port-no-effect ");
	expect(NETWORK("shop", "a",
		       "{podSelector: {}, ingress: [{ports: [{port: 80, endPort: 80}]}]}"),
		"end-port-no-effect ");
	expect(SEGMENT("a", "{subject: app=api, ingress: [{from: [{cidr: 10.0.0.0/8, except: "
			    "[10.0.0.0/9, 10.128.0.0/9]}]}]}"),
		"empty-cidr ");
	expect(SEGMENT("a", "{subject: app=api, ingress: [{from: [{cidr: 10.0.0.0/8, except: "
			    "[10.0.0.0/9, 10.1.0.0/16]}]}]}"),
		"redundant-except ");
}

#define IGNORABLE(before, behind)                                                             \
	"---\napiVersion: segctl.io/v1\nkind: SegmentPolicy\n"                                \
	"metadata: {name: a, namespace: shop}\nspec:\n" before "  subject: app=nobody" behind \
	"\n  ingress: []\n"

static void test_ignore(void **state)
{
	(void)state;
	expect(IGNORABLE("", ""), "unmatched-subject ");
	expect(IGNORABLE("", " # lint: ignore unmatched-subject"), "");
	expect(IGNORABLE("", " # lint: ignore no-effect, unmatched-subject"), "");
	expect(IGNORABLE("  # lint: ignore unmatched-subject\n", ""), "");
	expect(IGNORABLE("  # lint: ignore unmatched-subject\n  # is not there yet\n", ""), "");
	expect(IGNORABLE("", " # lint: ignore unmatched-peer"), "unmatched-subject ");
	expect(IGNORABLE("", " # lint: ignore unmatched"), "unmatched-subject ");
	expect(IGNORABLE("", " # lint: ignore"), "unmatched-subject ");
	expect(IGNORABLE("  tier: application # lint: ignore unmatched-subject\n", ""),
		"unmatched-subject ");
}

/* --- random policies ---------------------------------------------------------------------------
 */

static bool decides_somewhere(const struct ir *ir, uint32_t rule)
{
	for (size_t i = 0; i < ir->port_tables_count; i++) {
		const struct ir_port_table *table = &ir->port_tables[i];

		if (table->otherwise.rule == rule)
			return true;
		for (size_t k = 0; k < table->ranges_count; k++)
			if (table->ranges[k].decision.rule == rule)
				return true;
	}
	return false;
}

static bool is_at(const struct ir_rule *rule, const struct location *location)
{
	const struct policy_rule *source;

	if (!rule->document || rule->index < 0 || rule->line != location->line)
		return false;
	source = &rule->document->policy->rules[rule->direction][rule->index];
	return source->column == location->column;
}

/* A rule of which is said that it decides nothing is in no table. */
static void test_random(void **state)
{
	size_t shadowed = 0;

	(void)state;
	for (unsigned int seed = 1; seed <= 600; seed++) {
		struct diagnostics diagnostics = DIAGNOSTICS_INIT;
		_cleanup_free_ char *text = NULL;
		_cleanup_cluster_ struct cluster cluster;
		FILE *stream = open_memstream(&text, &(size_t){0});

		random_state = seed * 2654435761u;
		print_models(stream);
		for (unsigned int i = 2 + random_below(8); i > 0; i--)
			print_policy(stream, i);
		assert_int_equal(fclose(stream), 0);
		cluster_open(text, &cluster);
		lint_cluster(&cluster, &diagnostics);
		for (size_t i = 0; i < diagnostics.count; i++) {
			if (strcmp(diagnostics.items[i].code, "shadowed-rule") != 0 &&
				strcmp(diagnostics.items[i].code, "duplicate-rule") != 0)
				continue;
			shadowed++;
			for (uint32_t k = IR_RULE_FIRST; k < cluster.ir->rules_count; k++)
				if (is_at(&cluster.ir->rules[k], &diagnostics.items[i].location) &&
					decides_somewhere(cluster.ir, k))
					fail_msg("seed %u: line %u decides, though: %s\n%s", seed,
						diagnostics.items[i].location.line,
						diagnostics.items[i].message, text);
		}
		diagnostics_clear(&diagnostics);
	}
	assert_true(shadowed > 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_workloads),
		cmocka_unit_test(test_other_end),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_ignore),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
