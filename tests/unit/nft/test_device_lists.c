/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists that follow random changes of interfaces, held against lists from the ground up. */
#include "dataplane/nft/device_lists.h"

#include "fixture.h"

#define STEPS      400
#define INTERFACES 40

static struct attachment attachments[INTERFACES];
static struct address addresses[INTERFACES][3];
static struct model *model;
static struct ir_compiler *compiler;
static struct ir *irs[2]; /* in the second, the node is not heard by all */

static unsigned int below(unsigned int bound)
{
	return (unsigned int)rand() % bound;
}

static void change_address(struct address *address)
{
	char text[32];

	snprintf(text, sizeof(text), below(2) ? "10.0.%u.%u" : "fd00::%u:%u", below(4), below(9));
	*address = fixture_address(text);
}

/* Numbers whose order as bytes is another one, and sometimes twice the same address. */
static size_t choose(void)
{
	size_t count = 0;

	for (unsigned int i = 0; i < INTERFACES; i++) {
		struct attachment *attachment = &attachments[count];

		if (!below(8))
			continue;
		if (!below(4))
			change_address(&addresses[i][below(3)]);
		*attachment = (struct attachment){
			.ifindex = 250 + i,
			.mac = {2, 0, 0, 0, 0, (uint8_t)(i + !below(20))},
			.addresses = addresses[i],
			.addresses_count = below(10) ? 3 : 2,
			.workload = below(8) ? (int)below(4) : -1,
		};
		count++;
	}
	return count;
}

static void assert_same(const struct device_lists *one, const struct device_lists *other)
{
	for (size_t i = 0; i < DEVICE_LISTS; i++)
		assert_true(element_list_equal(&one->items[i], &other->items[i]));
}

/* ret: empty. */
static void make_anew(const struct dataplane_state *state, struct device_lists *ret)
{
	struct device_lists_change change = {0};

	assert_int_equal(device_lists_compare(ret, state, &change), 0);
	assert_int_equal(device_lists_patch(ret, &change), 0);
	device_lists_change_clear(&change);
}

static void test_lists_follow(void **state)
{
	struct device_lists lists = {0}, former = {0};
	size_t elements = 0;

	(void)state;
	for (unsigned int i = 0; i < STEPS; i++) {
		struct device_lists_change change = {0};
		struct device_lists fresh = {0};
		const struct dataplane_state now = {
			.ir = irs[!below(4)],
			.model = model,
			.attachments = attachments,
			.attachments_count = choose(),
		};

		make_anew(&now, &fresh);
		assert_int_equal(device_lists_compare(&lists, &now, &change), 0);
		assert_int_equal(device_lists_patch(&lists, &change), 0);
		assert_same(&lists, &fresh);
		device_lists_unpatch(&lists, &change);
		assert_same(&lists, &former);
		assert_int_equal(device_lists_patch(&lists, &change), 0);
		for (size_t k = 0; k < DEVICE_LISTS; k++)
			elements += lists.items[k].count;
		device_lists_change_clear(&change);
		device_lists_clear(&former);
		former = fresh;
	}
	assert_true(elements > (size_t)STEPS * INTERFACES);
	device_lists_clear(&lists);
	device_lists_clear(&former);
}

/* What stays is not sent again. */
static void test_nothing_changes(void **state)
{
	struct device_lists_change change = {0};
	struct device_lists lists = {0};
	const struct dataplane_state now = {.ir = irs[0],
		.model = model,
		.attachments = attachments,
		.attachments_count = choose()};

	(void)state;
	make_anew(&now, &lists);
	assert_int_equal(device_lists_compare(&lists, &now, &change), 0);
	for (size_t i = 0; i < DEVICE_LISTS; i++) {
		assert_int_equal(change.removed[i].count, 0);
		assert_int_equal(change.added[i].count, 0);
	}
	device_lists_change_clear(&change);
	device_lists_clear(&lists);
}

static struct ir *compile(bool restrict_node)
{
	const struct ir_options options = {
		.posture = POSTURE_ALLOW, .restrict_node = restrict_node};
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	struct document_list documents = {0};
	struct ir *ir;

	assert_int_equal(documents_parse(&documents, "test", FIXTURE_POLICY, strlen(FIXTURE_POLICY),
				 &diagnostics),
		0);
	assert_int_equal(ir_compiler_update(compiler, &documents, model, &options, &ir, NULL), 0);
	documents_clear(&documents);
	diagnostics_clear(&diagnostics);
	return ir;
}

static int set_up(void **state)
{
	(void)state;
	srand(77);
	model = fixture_model(0);
	assert_int_equal(ir_compiler_new(&compiler), 0);
	irs[0] = compile(false);
	irs[1] = compile(true);
	assert_non_null(irs[0]->shared);
	assert_ptr_not_equal(irs[0]->shared, irs[1]->shared);
	for (unsigned int i = 0; i < INTERFACES; i++)
		for (unsigned int k = 0; k < 3; k++)
			change_address(&addresses[i][k]);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ir_free(irs[0]);
	ir_free(irs[1]);
	ir_compiler_free(compiler);
	model_free(model);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists_follow),
		cmocka_unit_test(test_nothing_changes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
