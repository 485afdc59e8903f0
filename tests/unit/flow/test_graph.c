// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "base/cleanup.h"
#include "flow/graph.h"

struct drawing {
	struct name_pool *pool;
	struct map *map;
};

static int setup(void **state)
{
	struct drawing *drawing = calloc(1, sizeof(*drawing));

	*state = drawing;
	return name_pool_new(&drawing->pool) || map_new(100, 100, &drawing->map);
}

static int teardown(void **state)
{
	struct drawing *drawing = *state;

	map_free(drawing->map);
	name_pool_free(drawing->pool);
	free(drawing);
	return 0;
}

static void add_connection(
	struct drawing *drawing, uint64_t id, const char *source, const char *names)
{
	struct record record = {.event = fixture_event(id)};

	record.event.type = FLOW_UPDATE;
	record.event.source = fixture_address(source);
	record.source = fixture_name(drawing->pool, names);
	record.destination = fixture_name(
		drawing->pool, "{\"workload\": \"db\", \"namespace\": \"shop\", \"labels\": {}}");
	map_add(drawing->map, &record);
	record_clear(&record);
}

static void draw_three_peers(struct drawing *drawing)
{
	add_connection(drawing, 1, "192.0.2.1", "{\"entity\": \"world\"}");
	add_connection(drawing, 2, "192.0.2.2", "{\"entity\": \"world\"}");
	add_connection(drawing, 3, "10.77.0.11",
		"{\"workload\": \"web\", \"namespace\": \"shop\", \"labels\": {\"v\": \"1\"}}");
	add_connection(drawing, 4, "fd00::11",
		"{\"workload\": \"web\", \"namespace\": \"shop\", \"labels\": {\"v\": \"1\"}}");
	add_connection(drawing, 5, "fd00::11",
		"{\"workload\": \"web\", \"namespace\": \"shop\", \"labels\": {\"v\": \"2\"}}");
	add_connection(drawing, 6, "10.77.0.1", "{\"entity\": \"host\"}");
}

static json_t *find(const json_t *array, const char *key, const char *value)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		json_t *item = json_array_get(array, i);

		if (!strcmp(json_string_value(json_object_get(item, key)), value))
			return item;
	}
	return NULL;
}

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void addresses_of_one_workload_are_one_node(void **state)
{
	struct drawing *drawing = *state;
	json_t *graph, *edges, *nodes;

	draw_three_peers(drawing);
	graph = graph_of_map(drawing->map, NULL);
	edges = json_object_get(graph, "edges");
	nodes = json_object_get(graph, "nodes");
	assert_int_equal(json_array_size(nodes), 4);
	assert_int_equal(json_array_size(edges), 3);
	assert_int_equal(number(find(edges, "from", "world"), "connections"), 2);
	assert_int_equal(number(find(edges, "from", "shop/web"), "connections"), 3);
	assert_int_equal(number(find(edges, "from", "shop/web"), "active"), 3);
	assert_int_equal(number(find(edges, "from", "host"), "port"), 5432);
	assert_string_equal(
		json_string_value(json_object_get(find(edges, "from", "host"), "to")), "shop/db");
	assert_string_equal(
		json_string_value(json_object_get(find(nodes, "id", "world"), "entity")), "world");
	json_decref(graph);
}

/* Whoever is known by a name is not just the world; the application is the last that was found. */
static void named_peers_are_nodes_of_their_own(void **state)
{
	struct drawing *drawing = *state;
	struct record record = {.event = fixture_event(9)};
	json_t *graph, *nodes, *edges, *edge;

	draw_three_peers(drawing);
	record.source = fixture_name(drawing->pool,
		"{\"entity\": \"world\", \"names\": [\"api.example.org\", \"b.example.org\"]}");
	record.destination = fixture_name(
		drawing->pool, "{\"workload\": \"db\", \"namespace\": \"shop\", \"labels\": {}}");
	record.observed.application = fixture_name(
		drawing->pool, "{\"application\": \"tls\", \"server_name\": \"db.example.org\"}");
	map_add(drawing->map, &record);
	name_release(record.observed.application);
	record.observed.application = NULL;
	record.event.end_ns += FIXTURE_SECOND;
	map_add(drawing->map, &record);
	graph = graph_of_map(drawing->map, NULL);
	edges = json_object_get(graph, "edges");
	nodes = json_object_get(graph, "nodes");
	assert_int_equal(json_array_size(nodes), 5);
	assert_int_equal(json_array_size(edges), 4);
	edge = find(edges, "from", "world:api.example.org");
	assert_string_equal(json_string_value(json_object_get(edge, "application")), "tls");
	assert_string_equal(
		json_string_value(json_object_get(edge, "server_name")), "db.example.org");
	assert_null(json_object_get(find(edges, "from", "world"), "application"));
	assert_int_equal(json_array_size(json_object_get(
				 find(nodes, "id", "world:api.example.org"), "names")),
		2);
	json_decref(graph);
	record_clear(&record);
}

static void filters_see_addresses_behind_the_nodes(void **state)
{
	_cleanup_(flow_filter_freep) struct flow_filter *filter = NULL;
	struct drawing *drawing = *state;
	json_t *graph, *edges;

	draw_three_peers(drawing);
	assert_int_equal(flow_filter_set(&filter, "cidr", "192.0.2.2/32", NULL), 0);
	graph = graph_of_map(drawing->map, filter);
	edges = json_object_get(graph, "edges");
	assert_int_equal(json_array_size(edges), 1);
	assert_int_equal(number(json_array_get(edges, 0), "connections"), 1);
	assert_int_equal(json_array_size(json_object_get(graph, "nodes")), 2);
	json_decref(graph);
}

static void the_busiest_edges_come_first(void **state)
{
	_cleanup_(flow_filter_freep) struct flow_filter *filter = NULL;
	struct drawing *drawing = *state;
	json_t *graph, *edges;

	draw_three_peers(drawing);
	assert_int_equal(flow_filter_set(&filter, "limit", "2", NULL), 0);
	graph = graph_of_map(drawing->map, filter);
	edges = json_object_get(graph, "edges");
	assert_int_equal(json_array_size(edges), 2);
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(edges, 0), "from")), "shop/web");
	json_decref(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			addresses_of_one_workload_are_one_node, setup, teardown),
		cmocka_unit_test_setup_teardown(
			named_peers_are_nodes_of_their_own, setup, teardown),
		cmocka_unit_test_setup_teardown(
			filters_see_addresses_behind_the_nodes, setup, teardown),
		cmocka_unit_test_setup_teardown(the_busiest_edges_come_first, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
