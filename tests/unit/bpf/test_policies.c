/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From YAML to refused packets: an example of the policy language as it is shipped, compiled and
 * enforced; and the reference evaluator asked about each connection that was tried. */
#include "world.h"

#include "policies/document.h"
#include "policies/evaluate.h"

#define EXAMPLE "policies/examples/three-tier.yaml"

/* The two workloads of the world are the web and the api. */
static struct model *model_of(const struct world *world)
{
	static const char *const names[WORKLOADS] = {"api", "web"};
	struct model *model;

	assert_int_equal(model_new(&model), 0);
	for (unsigned int i = 0; i < WORKLOADS; i++) {
		/* Sorted by name, the model's indexes are 0 for api and 1 for web. */
		unsigned int end = i == 0 ? DB : WEB;
		struct model_workload *workload;

		assert_int_equal(
			model_add_workload(model, MODEL_NAMESPACE_DEFAULT, names[i], &workload), 0);
		assert_int_equal(labels_set(&workload->labels, "app", names[i]), 0);
		for (unsigned int family = 0; family < 2; family++)
			assert_int_equal(model_workload_add_address(
						 workload, &world->addresses[end][family]),
				0);
	}
	assert_int_equal(model_finish(model, NULL), 0);
	return model;
}

static struct ir *compile(const struct model *model)
{
	const struct ir_options options = {.posture = POSTURE_ALLOW};
	struct document_list documents = {0};
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;
	struct ir *ir = NULL;

	if (documents_load(&documents, EXAMPLE, &diagnostics) < 0) {
		diagnostics_print(&diagnostics, stderr);
		fail_msg("%s", EXAMPLE);
	}
	if (ir_compile(&documents, model, &options, &ir, &error) < 0)
		fail_msg("%s", error_message(&error));
	documents_clear(&documents);
	diagnostics_clear(&diagnostics);
	return ir;
}

static void test_three_tiers(void **state)
{
	static const uint16_t ports[] = {8080, 8081, 5432};
	struct world *world = *state;
	_cleanup_(model_freep) struct model *model = NULL;
	_cleanup_(ir_freep) struct ir *ir = NULL;
	struct dataplane *plane;
	unsigned int allowed = 0;

	if (!world)
		skip();
	model = model_of(world);
	ir = compile(model);
	world->attachments[DB].workload = 0;
	world->attachments[WEB].workload = 1;
	plane = plane_open(world);
	for (unsigned int i = 0; i < 2 * 2 * ARRAY_SIZE(ports); i++) {
		uint16_t port = ports[i / 4];
		unsigned int from = i % 2, to = !from;
		bool ipv6 = i / 2 % 2;
		const struct flow_query query = {world->addresses[from][ipv6],
			world->addresses[to][ipv6], IPPROTO_TCP, port};
		bool right = evaluate(ir, &query).verdict == VERDICT_ALLOW;

		if (!objects_generation(&plane->objects)) {
			assert_true(can_connect(world, from, to, ipv6, port));
			plane_apply(world, plane, ir);
		}
		assert_true(right ? can_connect(world, from, to, ipv6, port)
				  : cannot_connect(world, from, to, ipv6, port));
		allowed += right;
	}
	/* web to api at 8080, over both families. */
	assert_int_equal(allowed, 2);
	bpf_dataplane_ops.close(plane, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_three_tiers, world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
