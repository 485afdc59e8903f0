/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the IR promises beside its verdicts (those are in test_evaluate.c and test_property.c). */
#include "policies/ir.h"

#include "base/cleanup.h"
#include "policies/model.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define EXAMPLES "policies/examples"
#define GOLDEN   "tests/golden"

struct world {
	struct document_list documents;
	struct model *model;
	struct ir *ir;
};

static void load(struct world *world, const char *path)
{
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	int r = documents_load(&world->documents, path, &diagnostics);

	diagnostics_print(&diagnostics, stderr);
	assert_int_equal(diagnostics.count, 0);
	assert_int_equal(r, 0);
}

static void parse(struct world *world, const char *text)
{
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	int r = documents_parse(&world->documents, "test", text, strlen(text), &diagnostics);

	diagnostics_print(&diagnostics, stderr);
	diagnostics_clear(&diagnostics);
	assert_int_equal(r, 0);
}

static void compile(struct world *world)
{
	const struct ir_options options = {.posture = POSTURE_ALLOW};

	assert_int_equal(model_new(&world->model), 0);
	assert_int_equal(documents_to_model(&world->documents, world->model, NULL), 0);
	assert_int_equal(model_finish(world->model, NULL), 0);
	assert_int_equal(
		ir_compile(&world->documents, world->model, &options, &world->ir, NULL), 0);
}

static void world_clear(struct world *world)
{
	ir_free(world->ir);
	model_free(world->model);
	documents_clear(&world->documents);
}

static char *slurp(const char *path)
{
	_cleanup_file_ FILE *stream = fopen(path, "re");
	char *text = calloc(1, 1 << 20);

	if (!stream)
		fail_msg("%s is missing", path);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 20) - 1, stream) > 0);
	return text;
}

static void check_example(const char *name)
{
	_cleanup_(world_clear) struct world world = {0};
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *golden = NULL;
	_cleanup_free_ char *expected = NULL;
	_cleanup_free_ char *found = NULL;
	int stem = (int)(strrchr(name, '.') - name);
	char *dumped = NULL;
	size_t size;
	FILE *stream = open_memstream(&dumped, &size);

	assert_true(asprintf(&path, EXAMPLES "/%s", name) > 0);
	assert_true(asprintf(&golden, GOLDEN "/%.*s.ir", stem, name) > 0);
	load(&world, path);
	load(&world, GOLDEN "/model.yaml");
	compile(&world);
	ir_dump(world.ir, world.model, stream);
	fclose(stream);
	found = dumped;
	if (getenv("UPDATE_GOLDEN")) {
		_cleanup_file_ FILE *file = fopen(golden, "we");

		assert_non_null(file);
		fputs(found, file);
		return;
	}
	expected = slurp(golden);
	assert_string_equal(found, expected);
}

static void test_examples(void **state)
{
	DIR *directory = opendir(EXAMPLES);
	const struct dirent *entry;
	unsigned int count = 0;

	(void)state;
	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		const char *dot = strrchr(entry->d_name, '.');

		if (!dot || strcmp(dot, ".yaml"))
			continue;
		check_example(entry->d_name);
		count++;
	}
	closedir(directory);
	assert_true(count >= 6);
}

static void test_examples_together(void **state)
{
	_cleanup_(world_clear) struct world world = {0};
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;

	(void)state;
	load(&world, EXAMPLES);
	assert_true(world.documents.count > 6);
	assert_int_equal(documents_check_unique(&world.documents, &diagnostics), 0);
}

#define POD(name, labels, address)                                                     \
	"---\n{apiVersion: v1, kind: Pod, metadata: {name: " name ", labels: {" labels \
	"}}, status: {podIP: '" address "'}}\n"
#define SEGMENT(name, spec)                                                           \
	"---\n{apiVersion: segctl.io/v1, kind: SegmentPolicy, metadata: {name: " name \
	"}, spec: " spec "}\n"

static void test_sharing(void **state)
{
	_cleanup_(world_clear) struct world world = {0};
	const struct ir *ir;

	(void)state;
	parse(&world, POD("a", "app: web", "10.0.0.1") POD("b", "app: web", "10.0.0.2")
			      POD("c", "app: web, zone: x", "10.0.0.3") POD("d", "", "10.0.0.4")
				      SEGMENT("s", "{subject: app=web, ingress: [{from: "
						   "[{workloads: app=web}]}]}"));
	compile(&world);
	ir = world.ir;
	/* zone is nobody's business: the three webs are one class and share their tables. */
	assert_int_equal(ir->addresses[0].class, ir->addresses[2].class);
	assert_int_not_equal(ir->addresses[0].class, ir->addresses[3].class);
	assert_int_equal(ir->subjects[0].peer_table[0], ir->subjects[2].peer_table[0]);
	assert_int_not_equal(ir->subjects[0].peer_table[0], ir->subjects[3].peer_table[0]);
	/* No policy speaks of egress: all share one table. */
	assert_int_equal(ir->subjects[0].peer_table[1], ir->subjects[3].peer_table[1]);
	assert_int_equal(ir->peer_tables_count, 3);
}

static void test_ids_are_stable(void **state)
{
	_cleanup_(world_clear) struct world alone = {0};
	_cleanup_(world_clear) struct world among = {0};
	const char *policy = SEGMENT("m", "{subject: app=web, ingress: [{}, {action: deny}]}");
	const struct ir_rule *rule;
	char text[200];

	(void)state;
	parse(&alone, policy);
	parse(&among, SEGMENT("a", "{subject: '*', ingress: [{}]}"));
	parse(&among, policy);
	compile(&alone);
	compile(&among);
	for (size_t i = 0; i < alone.ir->rules_count; i++) {
		assert_int_not_equal(alone.ir->rules[i].id, 0);
		rule = ir_find_rule(among.ir, alone.ir->rules[i].id);
		assert_non_null(rule);
		assert_int_equal(rule->index, alone.ir->rules[i].index);
	}
	rule = &alone.ir->rules[IR_RULE_FIRST + 1];
	assert_string_equal(
		ir_rule_format(rule, text, sizeof(text)), "SegmentPolicy default/m ingress[1]");
	assert_string_equal(ir_rule_format(rule + 1, text, sizeof(text)),
		"no rule of SegmentPolicy default/m allows");
	assert_string_equal(ir_rule_format(rule + 1, text, 8), "no rule");
	assert_null(ir_find_rule(among.ir, 0));
}

static void print_many(FILE *stream)
{
	for (unsigned int i = 0; i < 10000; i++)
		fprintf(stream,
			"---\n{apiVersion: v1, kind: Pod, metadata: {name: p%u, labels: {app: "
			"a%u}}, status: {podIP: 10.%u.%u.1}}\n",
			i, i % 500, i / 250, i % 250);
	for (unsigned int i = 0; i < 1000; i++)
		fprintf(stream,
			SEGMENT("s%u", "{subject: app=a%u, ingress: [{from: [{workloads: "
				       "'app in (a%u,a%u)'}, {cidr: 10.%u.0.0/16}], ports: "
				       "[tcp/%u]}]}"),
			i, i % 500, (i + 1) % 500, (i * 7) % 500, i % 40, 1000 + i);
}

static void test_many(void **state)
{
	_cleanup_(world_clear) struct world world = {0};
	_cleanup_free_ char *text = NULL;
	char *printed = NULL;
	size_t size;
	FILE *stream = open_memstream(&printed, &size);
	clock_t start;

	(void)state;
	print_many(stream);
	fclose(stream);
	text = printed;
	parse(&world, text);
	start = clock();
	compile(&world);
	print_message("10000 workloads, 1000 policies: %.3f s, %zu classes, %zu peer tables, %zu "
		      "port tables\n",
		(double)(clock() - start) / CLOCKS_PER_SEC, world.ir->classes_count,
		world.ir->peer_tables_count, world.ir->port_tables_count);
	assert_int_equal(world.ir->peer_tables_count, 501);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_examples_together),
		cmocka_unit_test(test_sharing),
		cmocka_unit_test(test_ids_are_stable),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
