/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Maps of earlier agents: of another ABI, half made, damaged. */
#include "world.h"

#include <dirent.h>
#include <sys/stat.h>

static size_t count_map_sets(const struct world *world)
{
	DIR *directory = opendir(world->directory);
	const struct dirent *entry;
	size_t count = 0;

	assert_non_null(directory);
	while ((entry = readdir(directory)))
		count += strncmp(entry->d_name, "maps-", 5) == 0;
	closedir(directory);
	return count;
}

/* An agent of another ABI takes over, dies on the way, and is followed. */
static void test_other_abi(void **state)
{
	struct world *world = *state;
	__attribute__((cleanup(connection_close))) struct connection connection = {-1, -1, -1};
	struct small_ir isolated;
	struct dataplane *plane;

	if (!world)
		skip();
	small_ir_init(&isolated, world, true);
	plane = plane_open(world);
	plane_apply(world, plane, &isolated.ir);
	bpf_dataplane_ops.close(plane, false);
	connection = connect_to(world, WEB, DB, false, OPEN_PORT);
	assert_true(can_talk(&connection));

	bpf_dataplane_overrides.abi_version = ABI_VERSION + 1;
	for (unsigned int attempt = 0; attempt < 2; attempt++) {
		/* Until its first apply the old programs judge by the old maps. */
		plane = plane_open(world);
		assert_true(plane->interfaces.outdated);
		assert_int_equal(count_map_sets(world), 2);
		assert_true(can_talk(&connection));
		assert_true(can_connect(world, WEB, DB, true, OPEN_PORT));
		assert_true(cannot_connect(world, WEB, DB, true, CLOSED_PORT));
		if (attempt == 0)
			bpf_dataplane_ops.close(plane, false);
	}
	plane_apply(world, plane, &isolated.ir);
	assert_false(plane->interfaces.outdated);
	assert_int_equal(count_map_sets(world), 1);
	assert_int_equal(objects_generation(&plane->objects), 1);
	/* Its connection table is new, and takes in what policy allows. */
	assert_true(can_talk(&connection));
	assert_true(can_connect(world, WEB, DB, true, OPEN_PORT));
	assert_true(cannot_connect(world, WEB, DB, true, CLOSED_PORT));
	bpf_dataplane_ops.close(plane, false);

	plane = plane_open(world);
	assert_false(plane->interfaces.outdated);
	assert_true(cannot_connect(world, WEB, DB, true, CLOSED_PORT));
	bpf_dataplane_ops.close(plane, true);
}

static void test_half_made_maps_are_replaced(void **state)
{
	struct world *world = *state;
	char path[PATH_MAX + 32];
	struct stat status;
	struct dataplane *plane;

	if (!world)
		skip();
	plane = plane_open(world);
	bpf_dataplane_ops.close(plane, false);
	/* As an agent leaves it that is killed while it pins. */
	snprintf(path, sizeof(path), "%s/staging", world->directory);
	assert_int_equal(mkdir(path, 0700), 0);
	run("rm -r %s/maps-*", world->directory);
	plane = plane_open(world);
	assert_true(stat(path, &status) < 0);
	assert_int_equal(count_map_sets(world), 1);
	bpf_dataplane_ops.close(plane, true);
}

/* Someone has removed a pin: the programs go on with the map, but no agent can reach it. */
static void test_damaged_maps_enforce_until_they_are_replaced(void **state)
{
	struct world *world = *state;
	struct small_ir isolated;
	struct dataplane *plane;

	if (!world)
		skip();
	small_ir_init(&isolated, world, true);
	plane = plane_open(world);
	plane_apply(world, plane, &isolated.ir);
	bpf_dataplane_ops.close(plane, false);
	run("rm %s/maps-*/peers", world->directory);
	plane = plane_open(world);
	assert_true(plane->interfaces.outdated);
	assert_true(can_connect(world, WEB, DB, false, OPEN_PORT));
	assert_true(cannot_connect(world, WEB, DB, false, CLOSED_PORT));
	plane_apply(world, plane, &isolated.ir);
	assert_int_equal(count_map_sets(world), 1);
	assert_true(can_connect(world, WEB, DB, false, OPEN_PORT));
	assert_true(cannot_connect(world, WEB, DB, false, CLOSED_PORT));
	bpf_dataplane_ops.close(plane, true);
}

static void test_nothing_is_left(void **state)
{
	struct world *world = *state;
	struct dataplane *plane;
	DIR *directory;

	if (!world)
		skip();
	plane = plane_open(world);
	bpf_dataplane_ops.close(plane, true);
	directory = opendir(world->directory);
	if (!directory)
		return;
	/* It is a mount point, so it stays, with what the kernel itself puts into each bpffs. */
	for (const struct dirent *entry; (entry = readdir(directory));)
		assert_true(entry->d_name[0] == '.' || strstr(entry->d_name, ".debug"));
	closedir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_other_abi, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_half_made_maps_are_replaced, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_damaged_maps_enforce_until_they_are_replaced,
			world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_nothing_is_left, world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
