/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/model.h"

#include "base/cleanup.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct model_workload *add(
	struct model *model, const char *namespace, const char *name, const char *address_text)
{
	struct model_workload *workload;
	struct address address;

	assert_int_equal(model_add_workload(model, namespace, name, &workload), 0);
	assert_int_equal(address_parse(address_text, &address), 0);
	assert_int_equal(model_workload_add_address(workload, &address), 0);
	return workload;
}

static void test_finish_sorts_and_indexes(void **state)
{
	_cleanup_(model_freep) struct model *model = NULL;
	struct model_workload *workload;
	struct address address;

	(void)state;
	assert_int_equal(model_new(&model), 0);
	add(model, "shop", "web", "10.0.0.3");
	add(model, "shop", "api", "10.0.0.2");
	workload = add(model, "bank", "web", "fd00::1");
	address_parse("10.0.0.9", &address);
	assert_int_equal(model_workload_add_address(workload, &address), 0);
	assert_int_equal(model_workload_add_address(workload, &address), 0);
	assert_int_equal(model_workload_add_port(workload, "http", IPPROTO_TCP, 80), 0);
	assert_int_equal(model_finish(model, NULL), 0);

	assert_string_equal(model->workloads[0].namespace, "bank");
	assert_string_equal(model->workloads[1].name, "api");
	assert_int_equal(model->workloads[0].addresses_count, 2);
	assert_ptr_equal(model_find_workload(model, "shop", "web"), &model->workloads[2]);
	assert_null(model_find_workload(model, "shop", "db"));
	assert_ptr_equal(model_find_address(model, &address), &model->workloads[0]);
	address_parse("10.0.0.4", &address);
	assert_null(model_find_address(model, &address));
}

static void test_namespaces_have_their_name(void **state)
{
	_cleanup_(labels_clear) struct labels labels = {0};
	_cleanup_(model_freep) struct model *model = NULL;
	const struct model_namespace *namespace;

	(void)state;
	assert_int_equal(model_new(&model), 0);
	labels_set(&labels, "team", "red");
	labels_set(&labels, MODEL_NAMESPACE_LABEL, "a lie");
	assert_int_equal(model_add_namespace(model, "shop", &labels), 0);
	add(model, "bank", "web", "10.0.0.1");
	assert_int_equal(model_finish(model, NULL), 0);
	namespace = model_find_namespace(model, "shop");
	assert_string_equal(labels_get(&namespace->labels, "team"), "red");
	assert_string_equal(labels_get(&namespace->labels, MODEL_NAMESPACE_LABEL), "shop");
	namespace = model_find_namespace(model, "bank");
	assert_string_equal(labels_get(&namespace->labels, MODEL_NAMESPACE_LABEL), "bank");
	assert_null(model_find_namespace(model, "other"));
}

static void test_conflicts(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_(model_freep) struct model *model = NULL;
	struct model_workload *workload = NULL;

	(void)state;
	assert_int_equal(model_new(&model), 0);
	add(model, "shop", "web", "10.0.0.1");
	assert_int_equal(model_add_workload(model, "shop", "web", &workload), -EEXIST);
	assert_null(workload);
	add(model, "shop", "api", "10.0.0.1");
	assert_int_equal(model_finish(model, &error), -EADDRINUSE);
	assert_non_null(strstr(error_message(&error), "shop/web"));
	assert_non_null(strstr(error_message(&error), "shop/api"));
	assert_non_null(strstr(error_message(&error), "10.0.0.1"));
}

static void test_host_network_shares(void **state)
{
	_cleanup_(model_freep) struct model *model = NULL;
	struct address address;

	(void)state;
	assert_int_equal(model_new(&model), 0);
	add(model, "shop", "a", "10.0.0.1")->host_network = true;
	add(model, "shop", "b", "10.0.0.1")->host_network = true;
	address_parse("10.0.0.1", &address);
	assert_int_equal(model_add_host_address(model, &address), 0);
	assert_int_equal(model_finish(model, NULL), 0);
	assert_null(model_find_address(model, &address));
}

static struct model *small_model(const char *label_of_b)
{
	static const char *const names[] = {"a", "b", "c"};
	struct model_workload *workload;
	struct model *model;

	assert_int_equal(model_new(&model), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(model_add_workload(model, "default", names[i], &workload), 0);
		labels_set(&workload->labels, "app", i == 1 ? label_of_b : "web");
		model_workload_add_port(workload, "http", 6, 80);
	}
	assert_int_equal(model_finish(model, NULL), 0);
	return model;
}

static void test_sharing(void **state)
{
	_cleanup_(model_freep) struct model *former = small_model("api");
	_cleanup_(model_freep) struct model *model = small_model("db");
	_cleanup_(model_freep) struct model *copy = NULL;

	(void)state;
	model_share(model, former);
	assert_ptr_equal(model->workloads[0].references, former->workloads[0].references);
	assert_ptr_not_equal(model->workloads[1].references, former->workloads[1].references);
	assert_string_equal(labels_get(&model->workloads[1].labels, "app"), "db");
	assert_ptr_equal(model->workloads[2].references, former->workloads[2].references);
	assert_int_equal(model_copy(model, &copy), 0);
	assert_int_equal(model_remove_workload(copy, "default", "a"), 0);
	assert_int_equal(model_remove_workload(copy, "default", "a"), -ENOENT);
	assert_int_equal(model_finish(copy, NULL), 0);
	assert_null(model_find_workload(copy, "default", "a"));
	assert_non_null(model_find_workload(model, "default", "a"));
	assert_string_equal(model_find_workload(copy, "default", "c")->name, "c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sharing),
		cmocka_unit_test(test_finish_sorts_and_indexes),
		cmocka_unit_test(test_namespaces_have_their_name),
		cmocka_unit_test(test_conflicts),
		cmocka_unit_test(test_host_network_shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
