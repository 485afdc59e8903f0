/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A table of connections as an older agent might have left it: fewer fields, in another order. */
#include "world.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>

#define CONNECTIONS 5000 /* more than a batch */
#define IFINDEX     77

struct older_key {
	uint8_t protocol;
	uint8_t pad;
	uint16_t port_be[2];
	uint16_t more_pad;
	uint8_t address[2][16];
};

struct older_connection {
	uint32_t ifindex[ABI_SIDES];
	uint64_t start_ns, last_ns;
	uint64_t bytes[ABI_SIDES], packets[ABI_SIDES];
	uint8_t flags, originator;
	uint8_t tcp_flags[ABI_SIDES];
	uint16_t type_code;
	uint8_t mac[ABI_SIDES][6];
	uint8_t pad[6];
};

DEFINE_CLEANUP(struct btf *, btf__free)

struct types {
	struct btf *btf;
	int u8, u16, u32, u64, key, value;
};

static int array_of(struct types *types, int element, uint32_t length)
{
	return btf__add_array(types->btf, types->u32, element, length);
}

static void field(const struct types *types, const char *name, int type, size_t offset)
{
	assert_int_equal(btf__add_field(types->btf, name, type, (uint32_t)offset * 8, 0), 0);
}

static void add_key(struct types *types)
{
	int ports = array_of(types, types->u16, 2);
	int addresses = array_of(types, array_of(types, types->u8, 16), 2);

	types->key = btf__add_struct(types->btf, "older_key", sizeof(struct older_key));
	field(types, "protocol", types->u8, offsetof(struct older_key, protocol));
	field(types, "port_be", ports, offsetof(struct older_key, port_be));
	field(types, "address", addresses, offsetof(struct older_key, address));
}

static void add_value(struct types *types)
{
	int two_u8 = array_of(types, types->u8, 2), two_u32 = array_of(types, types->u32, 2);
	int two_u64 = array_of(types, types->u64, 2);
	int macs = array_of(types, array_of(types, types->u8, 6), 2);

	types->value =
		btf__add_struct(types->btf, "older_connection", sizeof(struct older_connection));
#define FIELD(type, name) field(types, #name, type, offsetof(struct older_connection, name))
	FIELD(two_u32, ifindex);
	FIELD(types->u64, start_ns);
	FIELD(types->u64, last_ns);
	FIELD(two_u64, bytes);
	FIELD(two_u64, packets);
	FIELD(types->u8, flags);
	FIELD(types->u8, originator);
	FIELD(two_u8, tcp_flags);
	FIELD(types->u16, type_code);
	FIELD(macs, mac);
#undef FIELD
}

static struct types older_types(void)
{
	struct types types = {.btf = btf__new_empty()};

	assert_non_null(types.btf);
	types.u8 = btf__add_int(types.btf, "u8", 1, 0);
	types.u16 = btf__add_int(types.btf, "u16", 2, 0);
	types.u32 = btf__add_int(types.btf, "u32", 4, 0);
	types.u64 = btf__add_int(types.btf, "u64", 8, 0);
	add_key(&types);
	add_value(&types);
	assert_int_equal(btf__load_into_kernel(types.btf), 0);
	return types;
}

static void fill(int map)
{
	for (uint32_t i = 0; i < CONNECTIONS; i++) {
		const struct older_key key = {.protocol = 17,
			.port_be = {htons((uint16_t)(1000 + i)), htons(53)},
			.address = {{[15] = 1}, {[15] = 2}}};
		const struct older_connection value = {.ifindex = {0, IFINDEX},
			.start_ns = 1000 + i,
			.last_ns = 2000 + i,
			.packets = {i, 3},
			.bytes = {i * 10ULL, 30},
			.originator = 1,
			.flags = ABI_CONNECTION_REPLIED,
			.mac = {{0}, {2, 3, 4, 5, 6, 7}}};

		assert_int_equal(bpf_map_update_elem(map, &key, &value, BPF_NOEXIST), 0);
	}
}

/* typed: the kernel has the map's types. */
static void leave_older_maps(const struct world *world, bool typed)
{
	struct types types = older_types();
	_cleanup_(btf__freep) struct btf *btf = types.btf;
	LIBBPF_OPTS(bpf_map_create_opts, options);
	_cleanup_close_ int map = -1;
	char path[PATH_MAX + 64];

	if (typed) {
		options.btf_fd = (uint32_t)btf__fd(btf);
		options.btf_key_type_id = (uint32_t)types.key;
		options.btf_value_type_id = (uint32_t)types.value;
	}
	map = bpf_map_create(BPF_MAP_TYPE_HASH, "connections", sizeof(struct older_key),
		sizeof(struct older_connection), 2 * CONNECTIONS, &options);
	assert_true(map >= 0);
	fill(map);
	run("mkdir %s/maps-1-0badcafe-1", world->directory);
	snprintf(path, sizeof(path), "%s/maps-1-0badcafe-1/connections", world->directory);
	assert_int_equal(bpf_obj_pin(map, path), 0);
}

static void check_one(const struct dataplane *plane, uint32_t i)
{
	const struct abi_connection_key key = {.protocol = 17,
		.port_be = {htons((uint16_t)(1000 + i)), htons(53)},
		.address = {{[15] = 1}, {[15] = 2}}};
	struct abi_connection connection;

	assert_int_equal(
		bpf_map_lookup_elem(plane->objects.maps.connections, &key, &connection), 0);
	assert_int_equal(connection.start_ns, 1000 + i);
	assert_int_equal(connection.last_ns, 2000 + i);
	assert_int_equal(connection.packets[0], i);
	assert_int_equal(connection.packets[1], 3);
	assert_int_equal(connection.bytes[0], i * 10);
	assert_int_equal(connection.ifindex[1], IFINDEX);
	assert_int_equal(connection.mac[1][5], 7);
	assert_int_equal(connection.originator, 1);
	assert_int_equal(connection.flags, ABI_CONNECTION_REPLIED);
	assert_int_equal(connection.generation, 0); /* so the next packet asks policy */
	assert_int_equal(connection.owner, IFINDEX);
}

static void test_older_layout_is_read(void **state)
{
	struct world *world = *state;
	struct former_connections totals = {0};
	struct dataplane *plane;

	if (!world)
		skip();
	plane = plane_open(world);
	leave_older_maps(world, true);
	former_connections_take(&plane->objects, &plane->pins, &totals);
	assert_int_equal(totals.taken, CONNECTIONS);
	assert_int_equal(totals.left, 0);
	for (uint32_t i = 0; i < CONNECTIONS; i++)
		check_one(plane, i);
	assert_int_equal(objects_share(&plane->objects, IFINDEX)->connections, CONNECTIONS);

	/* What is there stays as it is, and is not counted twice. */
	former_connections_take(&plane->objects, &plane->pins, &totals);
	assert_int_equal(totals.taken, CONNECTIONS);
	assert_int_equal(totals.left, 0);
	assert_int_equal(objects_share(&plane->objects, IFINDEX)->connections, CONNECTIONS);
	bpf_dataplane_ops.close(plane, true);
}

static void test_what_cannot_be_read_is_counted(void **state)
{
	struct world *world = *state;
	struct former_connections totals = {0};
	struct dataplane *plane;

	if (!world)
		skip();
	plane = plane_open(world);
	leave_older_maps(world, false);
	former_connections_take(&plane->objects, &plane->pins, &totals);
	assert_int_equal(totals.taken, 0);
	assert_int_equal(totals.left, CONNECTIONS);
	assert_int_equal(objects_share(&plane->objects, IFINDEX)->connections, 0);
	bpf_dataplane_ops.close(plane, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_older_layout_is_read, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_what_cannot_be_read_is_counted, world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
