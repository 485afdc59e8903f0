/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Follows random changes of workloads, and holds what comes of it against a plan from the ground
 * up. */
#include "dataplane/nft/plan.h"

#include "base/cleanup.h"
#include "fixture.h"

#include <linux/netfilter/nf_tables.h>

#define STEPS 1500

static const char shop[] = FIXTURE_POLICY
	"---\n"
	"apiVersion: segctl.io/v1\n"
	"kind: SegmentPolicy\n"
	"metadata: {name: api, namespace: shop}\n"
	"spec:\n"
	"  subject: app in (api,extra)\n"
	"  ingress:\n"
	"  - {from: [{workloads: app=web}, {cidr: 10.78.0.0/24}], ports: [tcp/80]}\n"
	"  - {from: [{workloads: app=extra}], ports: [tcp/8080]}\n"
	"  egress:\n"
	"  - {to: [{entity: world}], ports: [tcp/443]}\n"
	"  - {to: [{workloads: app=db}]}\n"
	"---\n"
	"apiVersion: segctl.io/v1\n"
	"kind: SegmentPolicy\n"
	"metadata: {name: web, namespace: shop}\n"
	"spec: {subject: app=web, egress: [{to: [{workloads: app=api}], ports: [tcp/80]}]}\n";

struct world {
	struct document_list documents;
	struct ir_compiler *compiler;
	struct model *model;
	struct ir *ir;
	struct ruleset installed;
	struct plan_memory memory;
	unsigned int names;
	unsigned int followed;
};

static unsigned int below(unsigned int bound)
{
	return (unsigned int)rand() % bound;
}

static void add_address(struct model_workload *workload, const char *network, unsigned int number)
{
	struct address address;
	char text[64];

	snprintf(text, sizeof(text), "%s%u%c%u", network, number / 200,
		strchr(network, ':') ? ':' : '.', 1 + number % 200);
	address = fixture_address(text);
	assert_int_equal(model_workload_add_address(workload, &address), 0);
}

/* number: of its addresses, which nobody else has. */
static void add_workload(struct model *model, const char *name, unsigned int number)
{
	static const char *const apps[] = {"web", "api", "db", "extra", "other"};
	struct model_workload *workload;

	assert_int_equal(model_add_workload(model, "shop", name, &workload), 0);
	labels_set(&workload->labels, "app", apps[below(5)]);
	workload->remote = !below(8);
	if (below(4))
		add_address(workload, "10.78.", number);
	if (below(2))
		add_address(workload, "10.79.", number);
	if (below(2))
		add_address(workload, "fd78::", number);
}

static unsigned int number_of(const char *name)
{
	return (unsigned int)strtoul(strrchr(name, '-') + 1, NULL, 10);
}

static struct model *change(struct world *world)
{
	struct model *model;
	char name[32];

	assert_int_equal(model_copy(world->model, &model), 0);
	if (below(2) && model->workloads_count > 5) {
		const struct model_workload *old =
			&model->workloads[below((unsigned int)model->workloads_count)];
		_cleanup_free_ char *old_name = strdup(old->name);

		assert_int_equal(model_remove_workload(model, "shop", old_name), 0);
		/* Or another one with the same addresses. */
		if (below(2)) {
			snprintf(name, sizeof(name), "%c%u-%u", 'a' + below(26), world->names++,
				number_of(old_name));
			add_workload(model, name, number_of(old_name));
		}
	} else {
		snprintf(
			name, sizeof(name), "%c%u-%u", 'a' + below(26), world->names, world->names);
		add_workload(model, name, world->names++);
	}
	assert_int_equal(model_finish(model, NULL), 0);
	return model;
}

static void patch(struct ruleset *ruleset, const struct plan_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		struct ruleset_set *set = ruleset_find_set(ruleset, changes->items[i].set);

		assert_non_null(set);
		assert_int_equal(element_list_patch(&set->elements, &changes->items[i].removed,
					 &changes->items[i].added),
			0);
	}
}

static void compare(const struct ruleset *followed, const struct ruleset *fresh)
{
	const struct ruleset_chain *chain;
	const struct ruleset_set *set, *other;

	assert_int_equal(HASH_COUNT(followed->chains), HASH_COUNT(fresh->chains));
	assert_int_equal(HASH_COUNT(followed->sets), HASH_COUNT(fresh->sets));
	for (chain = fresh->chains; chain; chain = chain->hh.next)
		if (!ruleset_find_same_chain(followed, chain))
			fail_msg("no chain %s", chain->name);
	for (set = fresh->sets; set; set = set->hh.next) {
		other = ruleset_find_same_set(followed, set);
		if (!other || !element_list_equal(&other->elements, &set->elements))
			fail_msg("set %s differs", set->name);
	}
}

static void step(struct world *world)
{
	__attribute__((cleanup(plan_changes_clear))) struct plan_changes changes = {0};
	const struct ir_options options = {.posture = POSTURE_ALLOW};
	struct model *model = change(world);
	struct plan_memory memory;
	struct ruleset fresh;
	struct ir *ir;
	int r;

	assert_int_equal(
		ir_compiler_update(world->compiler, &world->documents, model, &options, &ir, NULL),
		0);
	assert_int_equal(plan_build(ir, &fresh, &memory, NULL), 0);
	r = plan_follow(&world->memory, world->ir, ir, &world->installed, &changes);
	assert_true(r >= 0);
	if (r) {
		world->followed++;
		patch(&world->installed, &changes);
		compare(&world->installed, &fresh);
		plan_memory_clear(&memory);
		ruleset_clear(&fresh);
	} else {
		plan_memory_clear(&world->memory);
		ruleset_clear(&world->installed);
		world->memory = memory;
		world->installed = fresh;
	}
	ir_free(world->ir);
	model_free(world->model);
	world->ir = ir;
	world->model = model;
}

static void test_says_what_a_new_plan_says(void **state)
{
	const struct ir_options options = {.posture = POSTURE_ALLOW};
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	struct world world = {0};

	(void)state;
	srand(5);
	assert_int_equal(
		documents_parse(&world.documents, "test", shop, strlen(shop), &diagnostics), 0);
	assert_int_equal(ir_compiler_new(&world.compiler), 0);
	assert_int_equal(model_new(&world.model), 0);
	for (; world.names < 60; world.names++) {
		char name[32];

		snprintf(name, sizeof(name), "w%u-%u", world.names, world.names);
		add_workload(world.model, name, world.names);
	}
	assert_int_equal(model_finish(world.model, NULL), 0);
	assert_int_equal(ir_compiler_update(world.compiler, &world.documents, world.model, &options,
				 &world.ir, NULL),
		0);
	assert_int_equal(plan_build(world.ir, &world.installed, &world.memory, NULL), 0);
	for (unsigned int i = 0; i < STEPS; i++)
		step(&world);
	print_message("%u of %u changes were followed\n", world.followed, STEPS);
	assert_true(world.followed > STEPS / 4);
	plan_memory_clear(&world.memory);
	ruleset_clear(&world.installed);
	ir_free(world.ir);
	model_free(world.model);
	ir_compiler_free(world.compiler);
	documents_clear(&world.documents);
	diagnostics_clear(&diagnostics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_says_what_a_new_plan_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
