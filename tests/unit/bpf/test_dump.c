/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables told page by page: everything once, and nothing at once. */
#include "world.h"

#include "dataplane/bpf/batch.h"

#include <bpf/bpf.h>
#include <stdlib.h>

#define MANY ABI_MAX_CONNECTIONS

struct telling {
	unsigned char *seen; /* by number of the connection */
	size_t flows;
	size_t entries;
	size_t page;
	json_t *list;
};

static void on_dump_flow(const struct dump_flow *flow, void *userdata)
{
	struct telling *telling = userdata;
	uint32_t number;

	memcpy(&number, flow->event.source.bytes + 12, sizeof(number));
	number = ntohl(number) & (MANY - 1);
	if (telling->seen)
		telling->seen[number]++;
	telling->flows++;
	telling->page++;
	assert_string_equal(flow->state, "established");
	assert_true(flow->timeout_ns > 0);
}

static void on_dump_entry(json_t *entry, void *userdata)
{
	struct telling *telling = userdata;

	assert_non_null(entry);
	telling->entries++;
	telling->page++;
	json_array_append_new(telling->list, entry);
}

/* How many pages it took. */
static size_t tell(struct dataplane *plane, enum dataplane_table table, const struct ir *ir,
	struct telling *telling)
{
	const struct dump dump = {
		.table = table,
		.ir = ir,
		.flow = on_dump_flow,
		.entry = on_dump_entry,
		.userdata = telling,
	};
	struct dump_cursor cursor = {0};
	size_t pages = 0;
	int r;

	telling->list = json_array();
	do {
		telling->page = 0;
		r = bpf_dataplane_ops.dump(plane, &dump, &cursor, NULL);
		assert_true(r >= 0);
		assert_in_range(telling->page, 0, DUMP_PAGE_ENTRIES);
		assert_in_range(++pages, 1, 4096);
	} while (r);
	return pages;
}

static void fill_connections(struct dataplane *plane, uint32_t count)
{
	struct batch batch = {
		.map = plane->objects.maps.connections,
		.table = "connections",
		.key_size = sizeof(struct abi_connection_key),
		.value_size = sizeof(struct abi_connection),
	};

	for (uint32_t i = 0; i < count; i++) {
		struct abi_connection_key key = {.protocol = IPPROTO_TCP};
		struct abi_connection connection = {
			.flags = ABI_CONNECTION_ESTABLISHED | ABI_CONNECTION_REPLIED,
			.start_ns = clock_ns(CLOCK_BOOTTIME),
			.last_ns = clock_ns(CLOCK_BOOTTIME),
		};
		uint32_t number = htonl(10u << 24 | i);

		key.address[0][10] = key.address[0][11] = 0xff;
		memcpy(&key.address[0][12], &number, sizeof(number));
		key.address[1][0] = 0xff;
		assert_int_equal(batch_put(&batch, &key, &connection, NULL), 0);
	}
	assert_int_equal(batch_flush(&batch, NULL), 0);
	batch_clear(&batch);
}

static void test_full_connection_table(void **state)
{
	struct world *world = *state;
	struct dataplane *plane = plane_open(world);
	struct telling telling = {.seen = calloc(MANY, 1)};

	assert_non_null(telling.seen);
	assert_int_equal(tell(plane, DATAPLANE_CONNECTIONS, NULL, &telling), 1);
	assert_int_equal(telling.flows, 0);
	json_decref(telling.list);
	fill_connections(plane, MANY);
	assert_true(tell(plane, DATAPLANE_CONNECTIONS, NULL, &telling) >= MANY / DUMP_PAGE_ENTRIES);
	assert_int_equal(telling.flows, MANY);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(telling.seen[i], 1);
	json_decref(telling.list);
	free(telling.seen);
	bpf_dataplane_ops.close(plane, true);
}

/* From a place that no table has: the page begins somewhere, or is the last one. */
static void test_strange_places(void **state)
{
	struct world *world = *state;
	struct dataplane *plane = plane_open(world);

	for (int table = 0; table < DATAPLANE_TABLES_COUNT; table++) {
		struct telling telling = {.list = json_array()};
		const struct dump dump = {
			.table = (enum dataplane_table)table,
			.flow = on_dump_flow,
			.entry = on_dump_entry,
			.userdata = &telling,
		};
		struct dump_cursor cursor = {.phase = 200, .started = true};

		memset(cursor.token, 0xff, sizeof(cursor.token));
		(void)bpf_dataplane_ops.dump(plane, &dump, &cursor, NULL);
		assert_in_range(telling.page, 0, DUMP_PAGE_ENTRIES);
		json_decref(telling.list);
	}
	bpf_dataplane_ops.close(plane, true);
}

static void test_tables_of_others(void **state)
{
	static const enum dataplane_table others[] = {DATAPLANE_CHAINS, DATAPLANE_SETS};
	struct world *world = *state;
	struct dataplane *plane = plane_open(world);

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		_cleanup_error_ struct error error = ERROR_INIT;
		const struct dump dump = {.table = others[i]};
		struct dump_cursor cursor = {0};

		assert_int_equal(
			bpf_dataplane_ops.dump(plane, &dump, &cursor, &error), -EOPNOTSUPP);
		assert_non_null(strstr(error_message(&error), "endpoints"));
	}
	bpf_dataplane_ops.close(plane, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_full_connection_table, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_strange_places, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_tables_of_others, world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
