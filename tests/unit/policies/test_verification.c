/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each way to fail stands beside an expectation that is met. */
#include "policies/verification.h"

#include "base/cleanup.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define CLUSTER                                                                                    \
	"{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: red}}}\n"         \
	"---\n{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: "   \
	"web}}, status: {podIPs: [{ip: 10.0.0.1}, {ip: 'fd00::1'}]}}\n"                            \
	"---\n{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: shop, labels: {app: "    \
	"db}}, spec: {containers: [{ports: [{name: psql, containerPort: 5432}]}]}, status: "       \
	"{podIPs: [{ip: 10.0.0.2}]}}\n"                                                            \
	"---\n{apiVersion: v1, kind: Pod, metadata: {name: six}, status: {podIP: 'fd00::6'}}\n"    \
	"---\n{apiVersion: segctl.io/v1, kind: SegmentPolicy, metadata: {name: db, namespace: "    \
	"shop}, spec: {subject: app=db, ingress: [{from: [{workloads: app=web}], ports: "          \
	"[tcp/5432-5440]}]}}\n"                                                                    \
	"---\n{apiVersion: segctl.io/v1, kind: SegmentPolicy, metadata: {name: watched, "          \
	"namespace: shop}, spec: {subject: app=web, mode: audit, ingress: [{ports: [tcp/80]}]}}\n" \
	"---\n{apiVersion: segctl.io/v1, kind: SegmentPolicy, metadata: {name: six}, spec: "       \
	"{subject: '*', tier: admin, egress: [{to: [{cidr: 'fd00::1/128'}], ports: [tcp/81], "     \
	"action: deny}]}}\n"

#define TEST(expectations)                                                                 \
	"---\napiVersion: segctl.io/v1\nkind: PolicyTest\nmetadata: {name: t, namespace: " \
	"shop}\nspec:\n  expect:\n" expectations

struct world {
	struct document_list documents;
	struct model *model;
	struct ir *ir;
	struct diagnostics diagnostics;
	struct verification verification;
	int result;
};

static void world_clear(struct world *world)
{
	verification_clear(&world->verification);
	diagnostics_clear(&world->diagnostics);
	ir_free(world->ir);
	model_free(world->model);
	documents_clear(&world->documents);
}

static void run(struct world *world, const char *test)
{
	const struct ir_options options = {.posture = POSTURE_ALLOW};
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;

	if (documents_parse(&world->documents, "cluster", CLUSTER, strlen(CLUSTER), &diagnostics) <
			0 ||
		documents_parse(&world->documents, "test", test, strlen(test), &diagnostics) < 0) {
		diagnostics_print(&diagnostics, stderr);
		fail_msg("does not parse");
	}
	diagnostics_clear(&diagnostics);
	assert_int_equal(model_new(&world->model), 0);
	assert_int_equal(documents_to_model(&world->documents, world->model, NULL), 0);
	assert_int_equal(model_finish(world->model, NULL), 0);
	assert_int_equal(
		ir_compile(&world->documents, world->model, &options, &world->ir, NULL), 0);
	world->result = verify(&world->documents, world->model, world->ir, &world->diagnostics,
		&world->verification);
}

static void test_outcomes(void **state)
{
	static const struct {
		const char *test;
		enum verification_outcome outcome;
	} cases[] = {
#define CASE(expectation, outcome) {TEST("  - {" expectation "}\n"), VERIFICATION_##outcome}
		CASE("from: web, to: db, port: TCP/5432, verdict: allow", HOLDS),
		CASE("from: web, to: db, port: tcp/psql, verdict: allow, rule: db", HOLDS),
		CASE("from: web, to: db, port: tcp/psql, verdict: allow, rule: shop/db", HOLDS),
		CASE("from: web, to: db, port: tcp/5432, verdict: deny", WRONG_VERDICT),
		CASE("from: web, to: db, port: tcp/http, verdict: allow", NO_SUCH_PORT),
		CASE("from: web, to: db, port: udp/psql, verdict: deny", NO_SUCH_PORT),
		CASE("from: web, to: 10.9.9.9, port: tcp/psql, verdict: deny", NO_SUCH_PORT),
		CASE("from: web, to: db, port: tcp/5432-5440, verdict: allow", HOLDS),
		CASE("from: web, to: db, port: tcp/5432-5441, verdict: allow", WRONG_VERDICT),
		CASE("from: web, to: db, port: tcp/5431-5440, verdict: allow", WRONG_VERDICT),
		CASE("from: web, to: db, port: tcp, verdict: deny", WRONG_VERDICT),
		CASE("from: default/six, to: db, port: tcp/80, verdict: allow", NO_ADDRESSES),
		CASE("from: web, to: db, port: icmp, verdict: deny", HOLDS),
		CASE("from: web, to: db, port: icmpv6, verdict: deny", NO_ADDRESSES),
		CASE("from: 10.9.9.9, to: db, port: tcp/5432, verdict: deny, rule: db", HOLDS),
		CASE("from: 10.9.9.9, to: db, port: tcp/5432, verdict: deny, rule: watched",
			WRONG_RULE),
		CASE("from: 10.0.0.1, to: 10.0.0.2, port: tcp/5432, verdict: allow", HOLDS),
		/* An audited connection passes; an allowed one is not audited. */
		CASE("from: db, to: web, port: tcp/22, verdict: audit, rule: watched", HOLDS),
		CASE("from: db, to: web, port: tcp/22, verdict: allow", HOLDS),
		CASE("from: db, to: web, port: tcp/80, verdict: audit", WRONG_VERDICT),
		CASE("from: db, to: web, port: tcp/22, verdict: deny", WRONG_VERDICT),
		/* One of several families and addresses is enough to fail. */
		CASE("from: {workloads: '*', namespaces: '!team'}, to: web, port: tcp/81, verdict: "
		     "deny, rule: six",
			HOLDS),
		CASE("from: 'fd00::7', to: web, port: tcp/81, verdict: audit", HOLDS),
		CASE("from: web, to: web, port: tcp/81, verdict: allow", HOLDS),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(world_clear) struct world world = {0};

		run(&world, cases[i].test);
		if (world.result < 0 || world.verification.count != 1 ||
			world.verification.cases[0].outcome != cases[i].outcome)
			fail_msg("%s gives %d, outcome %d", cases[i].test, world.result,
				world.verification.count ? (int)world.verification.cases[0].outcome
							 : -1);
		assert_int_equal(world.verification.failed, cases[i].outcome != VERIFICATION_HOLDS);
	}
}

/* The connection that shows it: the first of the range that is not as expected. */
static void test_witness(void **state)
{
	_cleanup_(world_clear) struct world world = {0};
	const struct verification_case *item;

	(void)state;
	run(&world, TEST("  - {from: web, to: db, port: tcp/5432-6000, verdict: allow}\n"));
	assert_int_equal(world.verification.failed, 1);
	item = world.verification.cases;
	assert_int_equal(item->query.port, 5441);
	assert_int_equal(item->evaluation.verdict, VERDICT_DENY);
	assert_string_equal(item->from, "shop/web");
	assert_string_equal(item->to, "shop/db");
	assert_string_equal(item->port, "tcp/5432-6000");
	assert_int_equal(item->expectation->line, 7);
}

static void test_every_combination(void **state)
{
	_cleanup_(world_clear) struct world world = {0};

	(void)state;
	/* Three with three and two ports, less each with itself. */
	run(&world, TEST("  - {from: {namespaces: '*'}, to: [web, db, default/six], ports: "
			 "[tcp/1, udp/1], verdict: allow}\n"));
	assert_int_equal(world.result, 0);
	assert_int_equal(world.verification.count, (9 - 3) * 2);
}

static void check_mistake(const char *test, const char *expected)
{
	_cleanup_(world_clear) struct world world = {0};
	_cleanup_free_ char *printed = NULL;
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	run(&world, test);
	diagnostics_print(&world.diagnostics, stream);
	fclose(stream);
	printed = text;
	assert_int_equal(world.result, -EINVAL);
	assert_null(world.verification.cases);
	assert_string_equal(printed, expected);
}

static void test_mistakes(void **state)
{
	(void)state;
	check_mistake(TEST("  - {from: wbe, to: db, port: tcp/1, verdict: deny}\n"),
		"test:7:12: error: there is no workload \"shop/wbe\", did you mean \"shop/web\"? "
		"[unknown-workload]\n");
	check_mistake(TEST("  - {from: web, to: db, port: tcp/1, verdict: deny, rule: shop/bd}\n"),
		"test:7:59: error: there is no policy \"shop/bd\", did you mean \"shop/db\"? "
		"[unknown-policy]\n");
	check_mistake(TEST("  - {from: {workloads: app=x}, to: ghost, port: tcp, verdict: deny}\n"),
		"test:7:12: error: no workload matches, so nothing would be tested "
		"[unknown-workload]\n"
		"test:7:36: error: there is no workload \"shop/ghost\" [unknown-workload]\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_witness),
		cmocka_unit_test(test_every_combination),
		cmocka_unit_test(test_mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
