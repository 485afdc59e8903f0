/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/workload/support.h"

#include <netinet/in.h>

static void on_changed(void *userdata)
{
	(void)userdata;
}

static struct workload *make(const char *id, const char *namespace, const char *name)
{
	struct workload *workload;

	assert_int_equal(workload_new("docker", id, namespace, name, &workload), 0);
	return workload;
}

static void add_interface(struct workload *workload, uint32_t ifindex, const char *text)
{
	struct address address = parse_address(text);
	struct workload_interface *interface;

	assert_int_equal(workload_add_interface(workload, &interface), 0);
	interface->ifindex = ifindex;
	snprintf(interface->name, sizeof(interface->name), "veth%u", ifindex);
	interface->mac[5] = (uint8_t)ifindex;
	assert_int_equal(workload_interface_add_address(interface, &address), 0);
}

/* Two workloads, the first on two networks and with an interface that has not been found. */
static struct registry *fill(sd_event *event)
{
	struct registry *registry;
	struct workload *workload;

	assert_int_equal(registry_new(event, on_changed, NULL, &registry), 0);
	workload = make("1", "shop", "web");
	assert_int_equal(labels_set(&workload->labels, "app", "web"), 0);
	assert_int_equal(workload_add_port(workload, "http", IPPROTO_TCP, 8080), 0);
	add_interface(workload, 9, "10.0.0.9");
	add_interface(workload, 4, "10.0.1.9");
	add_interface(workload, 0, "10.0.2.9");
	workload->adopt = true;
	assert_int_equal(registry_put(registry, workload), 0);
	workload = make("2", "default", "node-exporter");
	workload->host_network = true;
	assert_int_equal(registry_put(registry, workload), 0);
	workload = make("3", "default", "api");
	add_interface(workload, 5, "fd00::5");
	assert_int_equal(registry_put(registry, workload), 0);
	return registry;
}

static void test_model(void **state)
{
	_cleanup_(model_freep) struct model *model = NULL;
	_cleanup_error_ struct error error = ERROR_INIT;
	const struct model_workload *web;
	struct registry *registry;
	sd_event *event;

	(void)state;
	assert_true(sd_event_new(&event) >= 0);
	registry = fill(event);
	assert_int_equal(model_new(&model), 0);
	assert_int_equal(registry_to_model(registry, model, &error), 0);
	assert_int_equal(model_finish(model, &error), 0);
	assert_int_equal(model->workloads_count, 3);
	web = model_find_workload(model, "shop", "web");
	assert_non_null(web);
	assert_string_equal(labels_get(&web->labels, "app"), "web");
	assert_int_equal(web->addresses_count, 3);
	assert_int_equal(web->ports_count, 1);
	assert_int_equal(web->ports[0].port, 8080);
	assert_false(web->host_network);
	assert_true(model_find_workload(model, "default", "node-exporter")->host_network);
	registry_free(registry);
	sd_event_unref(event);
}

static void test_attachments(void **state)
{
	static const uint32_t wanted[] = {4, 5, 9};
	_cleanup_(model_freep) struct model *model = NULL;
	struct attachment *attachments;
	struct registry *registry;
	sd_event *event;
	size_t count;

	(void)state;
	assert_true(sd_event_new(&event) >= 0);
	registry = fill(event);
	assert_int_equal(model_new(&model), 0);
	assert_int_equal(registry_to_model(registry, model, NULL), 0);
	assert_int_equal(model_finish(model, NULL), 0);
	assert_int_equal(registry_attachments(registry, model, &attachments, &count), 0);
	assert_int_equal(count, ARRAY_SIZE(wanted));
	for (size_t i = 0; i < count; i++) {
		const struct model_workload *workload = &model->workloads[attachments[i].workload];

		assert_int_equal(attachments[i].ifindex, wanted[i]);
		assert_int_equal(attachments[i].mac[5], wanted[i]);
		assert_int_equal(attachments[i].addresses_count, 1);
		assert_string_equal(workload->name, wanted[i] == 5 ? "api" : "web");
		assert_int_equal(attachments[i].adopt, wanted[i] != 5);
	}
	attachments_free(attachments, count);
	registry_free(registry);
	sd_event_unref(event);
}

/* One that the model does not have is guarded: everything is refused. */
static void test_unknown_to_the_model(void **state)
{
	_cleanup_(model_freep) struct model *model = NULL;
	struct attachment *attachments;
	struct registry *registry;
	sd_event *event;
	size_t count;

	(void)state;
	assert_true(sd_event_new(&event) >= 0);
	registry = fill(event);
	assert_int_equal(model_new(&model), 0);
	assert_int_equal(model_finish(model, NULL), 0);
	assert_int_equal(registry_attachments(registry, model, &attachments, &count), 0);
	assert_int_equal(count, 3);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(attachments[i].workload, -1);
	attachments_free(attachments, count);
	registry_free(registry);
	sd_event_unref(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_attachments),
		cmocka_unit_test(test_unknown_to_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
