/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workload_store.h"

#include "base/cleanup.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static char directory[64];

static int set_up(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/segd-store.XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

static void ignore(void *userdata)
{
	(void)userdata;
}

static struct registry *make_registry(sd_event *event)
{
	struct registry *registry;

	assert_int_equal(registry_new(event, ignore, NULL, &registry), 0);
	return registry;
}

/* Loopback exists everywhere; "gone0" nowhere. */
static void put_workload(struct registry *registry)
{
	struct workload_interface *interface;
	struct workload *workload;
	struct address address;

	assert_int_equal(workload_new("docker", "3f2a917c", "shop", "web", &workload), 0);
	assert_int_equal(labels_set(&workload->labels, "app", "web"), 0);
	assert_int_equal(workload_add_port(workload, "http", IPPROTO_TCP, 8080), 0);
	assert_int_equal(workload_add_interface(workload, &interface), 0);
	interface->ifindex = if_nametoindex("lo");
	strcpy(interface->name, "lo");
	memcpy(interface->mac, "\x02\x42\x0a\x00\x00\x02", 6);
	assert_int_equal(address_parse("10.0.0.2", &address), 0);
	assert_int_equal(workload_interface_add_address(interface, &address), 0);
	assert_int_equal(workload_add_interface(workload, &interface), 0);
	interface->ifindex = 999999;
	strcpy(interface->name, "gone0");
	assert_int_equal(registry_put(registry, workload), 0);
}

static void test_round_trip(void **state)
{
	sd_event *event;
	struct registry *saved, *loaded;
	const struct workload *workload;
	struct address address;

	(void)state;
	assert_true(sd_event_new(&event) >= 0);
	saved = make_registry(event);
	loaded = make_registry(event);
	assert_int_equal(workload_store_load(directory, loaded, NULL), 0);
	put_workload(saved);
	assert_int_equal(workload_store_save(directory, saved, NULL), 0);
	assert_int_equal(workload_store_load(directory, loaded, NULL), 0);
	assert_int_equal(registry_count(loaded), 1);
	workload = registry_at(loaded, 0);
	assert_string_equal(workload->name, "web");
	assert_string_equal(workload->namespace, "shop");
	assert_string_equal(workload->id, "3f2a917c");
	assert_string_equal(labels_get(&workload->labels, "app"), "web");
	assert_int_equal(workload->ports_count, 1);
	assert_int_equal(workload->ports[0].port, 8080);
	assert_true(workload->adopt);
	assert_int_equal(workload->interfaces_count, 1);
	assert_memory_equal(workload->interfaces[0].mac, "\x02\x42\x0a\x00\x00\x02", 6);
	assert_int_equal(address_parse("10.0.0.2", &address), 0);
	assert_ptr_equal(registry_find_address(loaded, &address), workload);
	registry_free(saved);
	registry_free(loaded);
	sd_event_unref(event);
}

static void write_store(const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/workloads.json", directory);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void test_another_boot_is_void(void **state)
{
	sd_event *event;
	struct registry *registry;

	(void)state;
	assert_true(sd_event_new(&event) >= 0);
	registry = make_registry(event);
	write_store("{\"boot_id\": \"00000000-0000-0000-0000-000000000000\", \"workloads\": [{}]}");
	assert_int_equal(workload_store_load(directory, registry, NULL), 0);
	assert_int_equal(registry_count(registry), 0);
	registry_free(registry);
	sd_event_unref(event);
}

static void test_damage_is_said(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	sd_event *event;
	struct registry *registry;

	(void)state;
	assert_true(sd_event_new(&event) >= 0);
	registry = make_registry(event);
	write_store("{\"boot_id\": ");
	assert_int_equal(workload_store_load(directory, registry, &error), -EBADMSG);
	assert_non_null(strstr(error_message(&error), "workloads.json"));
	assert_int_equal(registry_count(registry), 0);
	registry_free(registry);
	sd_event_unref(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_another_boot_is_void, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damage_is_said, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
