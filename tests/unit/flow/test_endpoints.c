/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fixture.h"

#include "flow/endpoints.h"

struct visited {
	size_t count;
	uint64_t active;
	char last[32];
};

static void in_order(const struct flow_endpoint *endpoint, void *userdata)
{
	struct visited *visited = userdata;

	assert_string_equal(endpoint->namespace, "shop");
	assert_true(strcmp(visited->last, endpoint->workload) < 0);
	snprintf(visited->last, sizeof(visited->last), "%s", endpoint->workload);
	visited->active += endpoint->active[DIRECTION_EGRESS];
	visited->count++;
}

static void add(struct map *map, uint64_t id, int workload)
{
	struct record record = {.event = fixture_event(id)};
	char json[64];

	snprintf(
		json, sizeof(json), "{\"namespace\": \"shop\", \"workload\": \"w%03d\"}", workload);
	record.source = fixture_name(NULL, json);
	record.destination = fixture_name(NULL, "{\"entity\": \"world\"}");
	map_add(map, &record);
	record_clear(&record);
}

/* Whoever shows the first of them shows the same ones each time. */
static void workloads_come_by_name(void **state)
{
	struct visited visited = {0};
	struct map *map;

	(void)state;
	assert_int_equal(map_new(500, 500, &map), 0);
	for (int i = 0; i < 200; i++)
		add(map, (uint64_t)i + 1, i * 37 % 200);
	add(map, 1000, 7);
	assert_int_equal(endpoints_of_map(map, in_order, &visited), 0);
	assert_int_equal(visited.count, 200);
	assert_int_equal(visited.active, 201);
	map_free(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workloads_come_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
