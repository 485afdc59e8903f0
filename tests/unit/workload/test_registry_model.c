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
	free(attachments);
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
	free(attachments);
	registry_free(registry);
	sd_event_unref(event);
}

static void put(struct registry *registry, const char *id, const char *namespace, const char *name,
	uint32_t ifindex, const char *label)
{
	struct workload *workload = make(id, namespace, name);
	char text[32];

	snprintf(text, sizeof(text), "10.1.0.%u", ifindex);
	add_interface(workload, ifindex, text);
	assert_int_equal(labels_set(&workload->labels, "app", label), 0);
	assert_int_equal(registry_put(registry, workload), 0);
}

static void assert_same(const struct model *one, const struct model *other)
{
	assert_int_equal(one->namespaces_count, other->namespaces_count);
	assert_int_equal(one->workloads_count, other->workloads_count);
	assert_int_equal(one->addresses_count, other->addresses_count);
	for (size_t i = 0; i < one->workloads_count; i++) {
		const struct model_workload *a = &one->workloads[i], *b = &other->workloads[i];

		assert_string_equal(a->namespace, b->namespace);
		assert_string_equal(a->name, b->name);
		assert_true(labels_equal(&a->labels, &b->labels));
		assert_int_equal(a->host_network, b->host_network);
		assert_int_equal(a->ports_count, b->ports_count);
		assert_int_equal(a->addresses_count, b->addresses_count);
		for (size_t k = 0; k < a->addresses_count; k++)
			assert_true(address_equal(&a->addresses[k], &b->addresses[k]));
	}
	for (size_t i = 0; i < one->addresses_count; i++) {
		assert_true(
			address_equal(&one->addresses[i].address, &other->addresses[i].address));
		assert_int_equal(one->addresses[i].workload, other->addresses[i].workload);
	}
}

/* Holds the model that follows against one from the ground up. False: it did not follow. */
static bool follow(const struct registry *registry, struct model **model)
{
	_cleanup_(model_freep) struct model *fresh = NULL, *next = NULL;
	int r = registry_follow_model(registry, *model, &next, NULL);

	assert_true(r >= 0);
	assert_int_equal(model_new(&fresh), 0);
	assert_int_equal(registry_to_model(registry, fresh, NULL), 0);
	assert_int_equal(model_finish(fresh, NULL), 0);
	if (r > 0) {
		assert_int_equal(model_finish(next, NULL), 0);
		assert_same(next, fresh);
	}
	model_free(*model);
	*model = r > 0 ? next : fresh;
	if (r > 0)
		next = NULL;
	else
		fresh = NULL;
	return r > 0;
}

/* Where two interfaces come to have the same address, the other one's is gone. */
static void test_an_address_that_is_gone_is_not_followed(void **state)
{
	static const char *const addresses[][2] = {{"10.2.0.1", "10.2.0.2"},
		{"10.2.0.1", "10.2.0.1"}, {"10.2.0.2", "10.2.0.1"}, {"10.2.0.2", "10.2.0.2"}};
	_cleanup_(model_freep) struct model *model = NULL;
	struct registry *registry;
	sd_event *event;

	(void)state;
	assert_true(sd_event_new(&event) >= 0);
	registry = fill(event);
	assert_int_equal(model_new(&model), 0);
	assert_int_equal(model_finish(model, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		struct workload *workload = make("9", "shop", "twice");

		for (uint32_t k = 0; k < 2; k++)
			add_interface(workload, 20 + k, addresses[i][k]);
		assert_int_equal(registry_put(registry, workload), 0);
		follow(registry, &model);
	}
	registry_free(registry);
	sd_event_unref(event);
}

static void test_a_model_follows(void **state)
{
	_cleanup_(model_freep) struct model *model = NULL;
	const struct model_workload *api;
	struct registry *registry;
	unsigned int *shared;
	sd_event *event;

	(void)state;
	assert_true(sd_event_new(&event) >= 0);
	registry = fill(event);
	assert_int_equal(model_new(&model), 0);
	assert_int_equal(registry_to_model(registry, model, NULL), 0);
	assert_int_equal(model_finish(model, NULL), 0);
	shared = model_find_workload(model, "default", "api")->references;
	put(registry, "4", "shop", "cache", 11, "cache");
	assert_true(follow(registry, &model));
	put(registry, "5", "zoo", "ape", 12, "ape"); /* a namespace more */
	assert_true(follow(registry, &model));
	put(registry, "4", "shop", "cache", 13, "cache"); /* another address */
	assert_true(follow(registry, &model));
	put(registry, "4", "shop", "cache", 13, "store"); /* another label */
	assert_true(follow(registry, &model));
	put(registry, "6", "shop", "late", 13, "late"); /* an address goes from one to another */
	assert_true(follow(registry, &model));
	registry_remove(registry, "docker", "4");
	assert_true(follow(registry, &model));
	registry_remove(registry, "docker", "5"); /* a namespace less */
	assert_false(follow(registry, &model));
	for (unsigned int i = 0; i < 40; i++) {
		char id[16], name[16];

		snprintf(id, sizeof(id), "%u", 100 + i);
		snprintf(name, sizeof(name), "many-%u", i);
		put(registry, id, "shop", name, 100 + i, "many");
	}
	assert_false(follow(registry, &model));
	api = model_find_workload(model, "default", "api");
	assert_ptr_not_equal(api->references, shared); /* both times from the ground up */
	shared = api->references;
	registry_remove(registry, "docker", "105");
	assert_true(follow(registry, &model));
	assert_ptr_equal(model_find_workload(model, "default", "api")->references, shared);
	registry_free(registry);
	sd_event_unref(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_attachments),
		cmocka_unit_test(test_unknown_to_the_model),
		cmocka_unit_test(test_an_address_that_is_gone_is_not_followed),
		cmocka_unit_test(test_a_model_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
