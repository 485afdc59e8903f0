/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An ir_compiler that follows random changes of workloads and policies says after each what
 * ir_compile() says: the same dump, while the IRs before it stay as they were. SEED=n repeats one
 * round.
 */
#include "policies/ir.h"
#include "policies/model.h"

#include "base/cleanup.h"
#include "tests/unit/policies/random_policies.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define ROUNDS 150
#define STEPS  25

struct world {
	struct document_list documents;
	struct document_list others; /* policies that come and go */
	struct model *model;
	struct ir_options options;
	struct ir_compiler *compiler;
	struct ir *ir;
	char *dump;
	unsigned int seed;
	unsigned int added;
};

static void world_clear(struct world *world)
{
	documents_clear(&world->documents);
	documents_clear(&world->others);
	model_free(world->model);
	ir_compiler_free(world->compiler);
	ir_free(world->ir);
	free(world->dump);
}

static char *dump(const struct ir *ir, const struct model *model)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	assert_int_equal(ir_dump(ir, model, stream), 0);
	fclose(stream);
	return text;
}

static void parse(struct world *world, void (*print)(FILE *stream), struct document_list *list)
{
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	_cleanup_free_ char *text = NULL;
	char *printed = NULL;
	size_t size;
	FILE *stream = open_memstream(&printed, &size);

	print(stream);
	fclose(stream);
	text = printed;
	if (documents_parse(list, "round", text, size, &diagnostics) < 0)
		fail_msg("SEED=%u does not parse:\n%s", world->seed, text);
	diagnostics_clear(&diagnostics);
}

static void print_others(FILE *stream)
{
	for (unsigned int i = 0; i < 8; i++)
		print_policy(stream, 100 + i);
	for (unsigned int i = 0; i < 2; i++)
		fprintf(stream,
			"---\napiVersion: segctl.io/v1\nkind: SegmentPolicy\nmetadata: {name: h%u}\n"
			"spec: {subject: 'entity:host', %s: [{%s: [{workloads: '%s'}], ports: "
			"[tcp/22]}]}\n",
			i, i ? "egress" : "ingress", i ? "to" : "from", random_selector());
}

static void print_world(FILE *stream)
{
	print_models(stream);
	for (unsigned int i = 0, count = 1 + random_below(6); i < count; i++)
		print_policy(stream, i);
}

static struct address spare_address(unsigned int number, const char *network)
{
	struct address address;
	char text[ADDRESS_TEXT_MAX];

	snprintf(text, sizeof(text), "%s%x", network, number);
	assert_int_equal(address_parse(text, &address), 0);
	return address;
}

static void add_random_workload(struct world *world, struct model *model, const char *namespace,
	const char *name, const struct address *address)
{
	struct model_workload *workload;

	assert_int_equal(model_add_workload(model, namespace, name, &workload), 0);
	if (random_below(4))
		labels_set(&workload->labels, "a", PICK("x", "w", "z", "new"));
	if (random_below(2))
		labels_set(&workload->labels, "b", PICK("x", "w"));
	/* Nobody asks for it. */
	labels_set(&workload->labels, "instance", name);
	if (random_below(2))
		model_workload_add_port(workload, PICK("http", "dns"), 6,
			(uint16_t)(80 + (random_below(9) ? 0 : random_below(100))));
	workload->remote = !random_below(6);
	workload->host_network = !random_below(12);
	assert_int_equal(model_workload_add_address(workload, address), 0);
	(void)world;
}

static void add_new(struct world *world, struct model *model)
{
	struct address address = spare_address(1 + world->added, PICK("fd00::1:", "fd77::"));
	char name[32];

	snprintf(name, sizeof(name), "%s%u", PICK("a", "q", "z"), world->added++);
	add_random_workload(
		world, model, PICK("n1", "n2", "n3", "default", "fresh"), name, &address);
}

/* Removes one; 1 in 3 stays away, the others come back changed. */
static void change_one(struct world *world, struct model *model)
{
	const struct model_workload *old =
		&model->workloads[random_below((unsigned int)model->finished_count)];
	_cleanup_free_ char *namespace = strdup(old->namespace);
	_cleanup_free_ char *name = strdup(old->name);
	struct address address = old->addresses[0];

	assert_int_equal(model_remove_workload(model, namespace, name), 0);
	if (random_below(3))
		add_random_workload(world, model, namespace, name, &address);
}

static void change_model(struct world *world)
{
	_cleanup_(model_freep) struct model *changed = NULL;

	assert_int_equal(model_copy(world->model, &changed), 0);
	if (changed->finished_count > 1 && random_below(3))
		change_one(world, changed);
	for (unsigned int i = random_below(3); i > 0; i--)
		add_new(world, changed);
	if (!random_below(10)) {
		struct labels labels = {0};

		labels_set(&labels, "team", PICK("red", "blue"));
		assert_int_equal(model_add_namespace(changed, "n2", &labels), 0);
		labels_clear(&labels);
	}
	assert_int_equal(model_finish(changed, NULL), 0);
	model_free(world->model);
	world->model = TAKE_PTR(changed);
}

static void change_policies(struct world *world)
{
	struct document *other =
		world->others.items[random_below((unsigned int)world->others.count)];
	struct document_list one = {&other, 1};

	if (documents_remove(&world->documents, other->kind, other->namespace, other->name) < 0)
		assert_int_equal(documents_merge(&world->documents, &one), 0);
}

static void follow(struct world *world)
{
	_cleanup_(ir_freep) struct ir *fresh = NULL;
	_cleanup_free_ char *expected = NULL;
	struct ir *ir;

	assert_int_equal(
		ir_compile(&world->documents, world->model, &world->options, &fresh, NULL), 0);
	assert_int_equal(ir_compiler_update(world->compiler, &world->documents, world->model,
				 &world->options, &ir, NULL),
		0);
	expected = dump(fresh, world->model);
	ir_free(world->ir);
	free(world->dump);
	world->ir = ir;
	world->dump = dump(ir, world->model);
	if (strcmp(expected, world->dump)) {
		/* cmocka cuts long messages. */
		fprintf(stderr, "compiled anew:\n%s\nfollowed:\n%s\n", expected, world->dump);
		fail_msg("SEED=%u: the dumps differ", world->seed);
	}
}

/* What was handed out does not change under whoever holds it. */
static void check_former(const struct world *world, const struct ir *former,
	const struct model *model, const char *expected)
{
	_cleanup_free_ char *now = dump(former, model);

	if (strcmp(expected, now))
		fail_msg("SEED=%u: an IR changed after it was handed out", world->seed);
}

static void play_round(unsigned int seed)
{
	_cleanup_(world_clear) struct world world = {.seed = seed};

	random_state = seed;
	parse(&world, print_world, &world.documents);
	parse(&world, print_others, &world.others);
	assert_int_equal(model_new(&world.model), 0);
	assert_int_equal(documents_to_model(&world.documents, world.model, NULL), 0);
	assert_int_equal(model_finish(world.model, NULL), 0);
	world.options.posture = (enum posture)random_below(3);
	assert_int_equal(ir_compiler_new(&world.compiler), 0);
	follow(&world);
	for (unsigned int i = 0; i < STEPS; i++) {
		_cleanup_(model_freep) struct model *model = model_reference(world.model);
		_cleanup_(ir_freep) struct ir *former = TAKE_PTR(world.ir);
		_cleanup_free_ char *text = TAKE_PTR(world.dump);

		/* Mostly one of them, at times both. */
		if (random_below(2))
			change_model(&world);
		if (random_below(2))
			change_policies(&world);
		follow(&world);
		check_former(&world, former, model, text);
	}
}

static void test_following(void **state)
{
	const char *fixed = getenv("SEED");
	unsigned int seed =
		fixed ? (unsigned int)strtoul(fixed, NULL, 10) : (unsigned int)time(NULL);

	(void)state;
	print_message("first seed %u, %d rounds\n", seed, fixed ? 1 : ROUNDS);
	for (unsigned int i = 0; i < (fixed ? 1 : ROUNDS); i++)
		play_round(seed + i ? seed + i : 1);
}

/* Who comes back with labels that others have gets their class; no number moves. */
static void test_numbers_stay(void **state)
{
	static const char text[] =
		"apiVersion: segctl.io/v1\nkind: SegmentPolicy\nmetadata: {name: p}\n"
		"spec: {subject: a=x, ingress: [{from: [{workloads: b=x}]}]}\n";
	_cleanup_(world_clear) struct world world = {0};
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	struct address address = spare_address(1, "fd00::");
	_cleanup_(model_freep) struct model *changed = NULL;
	struct model_workload *workload;
	struct ir *ir;
	uint32_t class;

	(void)state;
	assert_int_equal(
		documents_parse(&world.documents, "t", text, strlen(text), &diagnostics), 0);
	assert_int_equal(model_new(&world.model), 0);
	assert_int_equal(model_add_workload(world.model, "default", "m", &workload), 0);
	labels_set(&workload->labels, "b", "x");
	model_workload_add_address(workload, &address);
	assert_int_equal(model_finish(world.model, NULL), 0);
	assert_int_equal(ir_compiler_new(&world.compiler), 0);
	follow(&world);
	class = world.ir->addresses[0].class;
	assert_int_equal(model_copy(world.model, &changed), 0);
	address = spare_address(2, "fc00::");
	assert_int_equal(model_add_workload(changed, "default", "a", &workload), 0);
	model_workload_add_address(workload, &address);
	assert_int_equal(model_add_workload(changed, "default", "m", &workload), -EEXIST);
	assert_int_equal(model_finish(changed, NULL), 0);
	assert_int_equal(ir_compiler_update(world.compiler, &world.documents, changed,
				 &world.options, &ir, NULL),
		0);
	assert_int_equal(ir->addresses_count, 2);
	assert_int_equal(ir->addresses[1].class, class);
	assert_ptr_equal(
		model_find_workload(changed, "default", "m")->name, world.model->workloads[0].name);
	ir_free(ir);
}

static const char three_policies[] =
	"apiVersion: segctl.io/v1\nkind: SegmentPolicy\nmetadata: {name: one}\n"
	"spec: {subject: a=x, ingress: [{from: [{workloads: a=w}], ports: [tcp/80]}]}\n---\n"
	"apiVersion: segctl.io/v1\nkind: SegmentPolicy\nmetadata: {name: three}\n"
	"spec: {subject: a=w, egress: [{to: [{cidr: 10.0.0.0/8}], ports: [tcp/http]}]}\n---\n"
	"apiVersion: segctl.io/v1\nkind: SegmentPolicy\nmetadata: {name: two}\n"
	"spec: {subject: a=w, ingress: [{from: [{workloads: 'a in (x,w)'}, {cidr: 10.1.0.0/16}]}]}\n";

static const struct ir_peer_table *table_of(
	const struct ir *ir, const struct model *model, const char *name, enum direction direction)
{
	const struct model_workload *workload = model_find_workload(model, "default", name);

	return &ir->peer_tables[ir->subjects[workload - model->workloads].peer_table[direction]];
}

/* A policy that comes and goes changes tables of its subjects alone; all others are the same
 * memory, under the same numbers. */
static void test_policy_shares(void **state)
{
	_cleanup_(world_clear) struct world world = {0};
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	_cleanup_(ir_freep) struct ir *before = NULL;

	(void)state;
	assert_int_equal(documents_parse(&world.documents, "t", three_policies,
				 strlen(three_policies), &diagnostics),
		0);
	assert_int_equal(model_new(&world.model), 0);
	for (unsigned int i = 0; i < 4; i++) {
		const char *value = i % 2 ? "x" : "w";
		struct address address = spare_address(i + 1, "fd00::");
		struct model_workload *workload;
		char name[8];

		snprintf(name, sizeof(name), "m%u", i);
		assert_int_equal(model_add_workload(world.model, "default", name, &workload), 0);
		labels_set(&workload->labels, "a", value);
		model_workload_add_address(workload, &address);
	}
	assert_int_equal(model_finish(world.model, NULL), 0);
	assert_int_equal(ir_compiler_new(&world.compiler), 0);
	follow(&world);
	before = TAKE_PTR(world.ir);
	assert_int_equal(
		documents_remove(&world.documents, DOCUMENT_SEGMENT_POLICY, "default", "two"), 0);
	follow(&world);
	assert_ptr_equal(table_of(before, world.model, "m1", DIRECTION_INGRESS)->peers,
		table_of(world.ir, world.model, "m1", DIRECTION_INGRESS)->peers);
	assert_ptr_not_equal(table_of(before, world.model, "m0", DIRECTION_INGRESS)->peers,
		table_of(world.ir, world.model, "m0", DIRECTION_INGRESS)->peers);
	assert_ptr_equal(table_of(before, world.model, "m0", DIRECTION_EGRESS)->peers,
		table_of(world.ir, world.model, "m0", DIRECTION_EGRESS)->peers);
	/* Nothing tells the others from the world any more. */
	for (size_t i = 0; i < before->addresses_count; i += 2)
		assert_int_equal(before->addresses[i].class, world.ir->addresses[i].class);
	assert_int_equal(world.ir->addresses[1].class, world.ir->prefixes[0].class);
	for (size_t i = 0; i < before->port_tables_count; i++)
		assert_ptr_equal(before->port_tables[i].ranges, world.ir->port_tables[i].ranges);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policy_shares),
		cmocka_unit_test(test_following),
		cmocka_unit_test(test_numbers_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
