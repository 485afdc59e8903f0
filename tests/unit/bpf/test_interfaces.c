/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs on interfaces: both mechanisms, what others do to them, and interfaces that go. */
#include "dataplane/bpf/interface_hooks.h"
#include "world.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/stat.h>

static bool is_pinned(const struct world *world, const char *part, uint32_t ifindex)
{
	static const char *const suffixes[] = {"leave", "enter"};
	struct stat status;
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		char path[PATH_MAX + 64];

		snprintf(path, sizeof(path), "%s/%s/%u-%s", world->directory, part, ifindex,
			suffixes[i]);
		count += stat(path, &status) == 0;
	}
	assert_true(count == 0 || count == ARRAY_SIZE(suffixes));
	return count;
}

static void enforce(struct world *world, struct dataplane *plane)
{
	struct small_ir isolated;

	small_ir_init(&isolated, world, true);
	plane_apply(world, plane, &isolated.ir);
	assert_true(can_connect(world, WEB, DB, false, OPEN_PORT));
	assert_true(cannot_connect(world, WEB, DB, false, CLOSED_PORT));
}

static void stays_and_goes(struct world *world, const char *part)
{
	struct dataplane *plane;

	assert_true(can_connect(world, WEB, DB, false, CLOSED_PORT));
	plane = plane_open(world);
	enforce(world, plane);
	for (unsigned int i = 0; i < WORKLOADS; i++)
		assert_true(is_pinned(world, part, world->attachments[i].ifindex));
	bpf_dataplane_ops.close(plane, false);
	assert_true(cannot_connect(world, WEB, DB, false, CLOSED_PORT));
	assert_true(can_connect(world, WEB, DB, false, OPEN_PORT));

	plane = plane_open(world);
	assert_int_equal(HASH_COUNT(plane->interfaces.items), WORKLOADS);
	assert_true(cannot_connect(world, WEB, DB, false, CLOSED_PORT));
	enforce(world, plane);
	bpf_dataplane_ops.close(plane, true);
	assert_true(can_connect(world, WEB, DB, false, CLOSED_PORT));
	for (unsigned int i = 0; i < WORKLOADS; i++)
		assert_false(is_pinned(world, part, world->attachments[i].ifindex));
}

static void test_tcx(void **state)
{
	struct world *world = *state;
	struct dataplane *plane;

	if (!world)
		skip();
	plane = plane_open(world);
	enforce(world, plane);
	if (plane->interfaces.preferred != &tcx_mechanism) {
		bpf_dataplane_ops.close(plane, true);
		print_message("skipped: this kernel has no tcx links\n");
		skip();
	}
	bpf_dataplane_ops.close(plane, true);
	stays_and_goes(world, "links");
}

/* Someone else's filter, which lets pass what reaches it. */
static void add_filter(const struct world *world, uint32_t handle, uint32_t priority)
{
	const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = -1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)world->attachments[WEB].ifindex,
		.attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = handle, .priority = priority);

	opts.prog_fd = bpf_prog_load(
		BPF_PROG_TYPE_SCHED_CLS, "other", "GPL", pass, ARRAY_SIZE(pass), NULL);
	assert_true(opts.prog_fd >= 0);
	bpf_tc_hook_create(&hook);
	assert_int_equal(bpf_tc_attach(&hook, &opts), 0);
	close(opts.prog_fd);
}

static void test_clsact(void **state)
{
	struct world *world = *state;

	if (!world)
		skip();
	add_filter(world, 1, 7);
	bpf_dataplane_overrides.force_clsact = true;
	stays_and_goes(world, "filters");
	run("tc filter show dev veth0 ingress | grep -q 'pref 7 .*handle 0x1 other'");
}

/* The place that we would take is someone else's: the workload stays guarded, and the error says
 * where. */
static void test_clsact_place_is_taken(void **state)
{
	struct world *world = *state;
	_cleanup_error_ struct error error = ERROR_INIT;
	struct small_ir open;
	struct dataplane *plane;

	if (!world)
		skip();
	small_ir_init(&open, world, false);
	add_filter(world, 0x5e6d, 1);
	add_filter(world, 0x5e6e, 1);
	bpf_dataplane_overrides.force_clsact = true;
	plane = plane_open(world);
	assert_int_equal(plane_try_apply(world, plane, &open.ir, WORKLOADS, &error), -EBUSY);
	assert_non_null(strstr(error_message(&error), "veth0"));
	bpf_dataplane_ops.close(plane, true);
	run("tc filter show dev veth0 ingress | grep -q 'other'");
}

static bool is_repaired(struct world *world)
{
	return world->repairs > 0;
}

static void detach_by_link(struct world *world)
{
	static const char *const suffixes[] = {"leave", "enter"};

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		char path[PATH_MAX + 64];
		int fd;

		snprintf(path, sizeof(path), "%s/links/%u-%s", world->directory,
			world->attachments[DB].ifindex, suffixes[i]);
		fd = bpf_obj_get(path);
		assert_true(fd >= 0);
		assert_int_equal(bpf_link_detach(fd), 0);
		close(fd);
	}
}

static void detached_is_put_back(struct world *world, void (*detach)(struct world *world))
{
	struct dataplane *plane = plane_open(world);
	struct small_ir isolated;

	/* Refused by what enters db, so that the hook of web hides nothing: only db is attached. */
	small_ir_init(&isolated, world, true);
	world->attachments[0] = world->attachments[DB];
	assert_int_equal(plane_try_apply(world, plane, &isolated.ir, 1, NULL), 0);
	assert_true(cannot_connect(world, WEB, DB, true, CLOSED_PORT));
	detach(world);
	assert_true(can_connect(world, WEB, DB, true, CLOSED_PORT));
	assert_true(wait_until(world, is_repaired));
	assert_int_equal(world->troubles, world->repairs);
	assert_true(cannot_connect(world, WEB, DB, true, CLOSED_PORT));
	bpf_dataplane_ops.close(plane, true);
}

static void test_detached_link_is_put_back(void **state)
{
	struct world *world = *state;

	if (!world)
		skip();
	detached_is_put_back(world, detach_by_link);
}

static void detach_by_tc(struct world *world)
{
	(void)world;
	run("tc filter del dev veth1 egress");
	run("tc filter del dev veth1 ingress");
}

static void test_deleted_filter_is_put_back(void **state)
{
	struct world *world = *state;

	if (!world)
		skip();
	bpf_dataplane_overrides.force_clsact = true;
	detached_is_put_back(world, detach_by_tc);
}

/* An interface goes, and another takes its index: nothing of the old one is inherited. */
static void index_is_reused(struct world *world)
{
	const struct attachment old = world->attachments[WEB];
	_cleanup_error_ struct error error = ERROR_INIT;
	struct dataplane *plane = plane_open(world);
	struct small_ir isolated;

	small_ir_init(&isolated, world, true);
	enforce(world, plane);
	run("ip link del %s", old.name);
	/* The policy must still be appliable before anyone has noticed. */
	assert_int_equal(plane_try_apply(world, plane, &isolated.ir, WORKLOADS, &error), 0);
	run("ip link add veth9 index %u type veth peer name eth0 netns %d", old.ifindex,
		world->keepers[WEB]);
	run("ip link set veth9 master br0 up");
	run("nsenter -t %d -n ip link set eth0 up", world->keepers[WEB]);
	run("nsenter -t %d -n ip address add 10.9.0.10/24 dev eth0", world->keepers[WEB]);
	assert_int_equal(bpf_dataplane_ops.guard(plane, old.ifindex, "veth9", &error), 0);
	assert_true(cannot_connect(world, WEB, DB, false, OPEN_PORT));
	read_mac(world, WEB);
	/* The kernel holds on to a neighbour's former MAC for a second, and asks for one that did
	 * not answer only once a second. */
	for (unsigned int i = 0; i < WORKLOADS; i++)
		run("nsenter -t %d -n ip neighbour flush all", world->keepers[i]);
	snprintf(world->attachments[WEB].name, sizeof(old.name), "veth9");
	enforce(world, plane);
	bpf_dataplane_ops.close(plane, true);
}

static void test_index_is_reused(void **state)
{
	struct world *world = *state;

	if (!world)
		skip();
	index_is_reused(world);
}

static void test_index_is_reused_with_clsact(void **state)
{
	struct world *world = *state;

	if (!world)
		skip();
	bpf_dataplane_overrides.force_clsact = true;
	index_is_reused(world);
}

/* An apply asks no hook that it knows, so it must hear in time that an interface is another one. */
static void test_apply_notices_another_interface(void **state)
{
	struct world *world = *state;
	_cleanup_error_ struct error error = ERROR_INIT;
	const struct interface *interface;
	struct small_ir isolated;
	struct attachment *web;
	struct dataplane *plane;

	if (!world)
		skip();
	web = &world->attachments[WEB];
	small_ir_init(&isolated, world, true);
	plane = plane_open(world);
	for (unsigned int i = 0; i < 2; i++)
		plane_apply(world, plane, &isolated.ir);
	interface = interfaces_find(&plane->interfaces, web->ifindex);
	assert_true(interface->whole);
	run("ip link del %s", web->name);
	run("ip link add veth9 index %u type veth peer name eth0 netns %d", web->ifindex,
		world->keepers[WEB]);
	snprintf(web->name, sizeof(web->name), "veth9");
	read_mac(world, WEB);
	/* Nothing has let the watch know: only the apply asks. */
	assert_int_equal(plane_try_apply(world, plane, &isolated.ir, WORKLOADS, &error), 0);
	interface = interfaces_find(&plane->interfaces, web->ifindex);
	assert_memory_equal(interface->endpoint.mac, web->mac, sizeof(web->mac));
	for (unsigned int i = 0; i < ABI_DIRECTIONS; i++) {
		struct occupation occupation = {0};

		assert_int_equal(interface_hook_query(interface, i, &occupation), 0);
		assert_int_equal(occupation.program_id, plane->objects.program_ids[i]);
	}
	bpf_dataplane_ops.close(plane, true);
}

/* The interface goes while no agent runs; its pins are only names then. */
static void test_gone_while_no_agent_ran(void **state)
{
	struct world *world = *state;
	struct dataplane *plane;

	if (!world)
		skip();
	plane = plane_open(world);
	enforce(world, plane);
	bpf_dataplane_ops.close(plane, false);
	run("ip link del %s", world->attachments[WEB].name);
	plane = plane_open(world);
	assert_false(is_pinned(world, "links", world->attachments[WEB].ifindex));
	assert_int_equal(HASH_COUNT(plane->interfaces.items), 1);
	bpf_dataplane_ops.close(plane, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tcx, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_clsact, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_clsact_place_is_taken, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_detached_link_is_put_back, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_deleted_filter_is_put_back, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_index_is_reused, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_apply_notices_another_interface, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_index_is_reused_with_clsact, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_gone_while_no_agent_ran, world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
