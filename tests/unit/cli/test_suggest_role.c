/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "suggest_role.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* labels: "a=b c=d". */
static void add(struct model *model, const char *namespace, const char *name, const char *labels)
{
	struct model_workload *workload;
	char *text = strdup(labels), *rest = NULL;

	assert_int_equal(model_add_workload(model, namespace, name, &workload), 0);
	for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		char *equals = strchr(word, '=');

		*equals = '\0';
		assert_int_equal(labels_set(&workload->labels, word, equals + 1), 0);
	}
	free(text);
}

static void selects(const struct model *model, const char *namespace, const char *name,
	const char *selector, const char *word)
{
	const struct model_workload *workload = model_find_workload(model, namespace, name);
	struct address address = {{0}};
	_cleanup_role_ struct suggest_role role = {0};

	assert_non_null(workload);
	suggest_role_find(model, workload, false, &address, &role);
	assert_string_equal(role.word, word);
	if (selector)
		assert_string_equal(role.selector, selector);
	else
		assert_null(role.selector);
}

static struct model *make(void)
{
	struct model *model;

	assert_int_equal(model_new(&model), 0);
	return model;
}

static void test_what_it_does_not_which_one_it_is(void **state)
{
	_cleanup_(model_freep) struct model *model = make();

	(void)state;
	add(model, "shop", "web-1", "app=web pod-template-hash=7f9c4d5b6c version=1.2");
	add(model, "shop", "web-2", "app=web pod-template-hash=55b9d8c9f7 version=1.3");
	add(model, "shop", "db", "app=db id=3f0e9a1c2b4d");
	assert_int_equal(model_finish(model, NULL), 0);
	selects(model, "shop", "web-1", "app=web", "web");
	selects(model, "shop", "db", "app=db", "db");
}

/* One label takes too many, so a second one is needed; a third is not. */
static void test_as_few_as_are_enough(void **state)
{
	_cleanup_(model_freep) struct model *model = make();

	(void)state;
	add(model, "shop", "a", "app=shop component=web team=red");
	add(model, "shop", "b", "app=shop component=db team=red");
	add(model, "shop", "c", "app=cart component=db team=red");
	add(model, "blog", "d", "app=shop component=web team=blue");
	assert_int_equal(model_finish(model, NULL), 0);
	selects(model, "shop", "a", "component=web", "web");
	selects(model, "shop", "b", "app=shop,component=db", "shop-db");
	selects(model, "blog", "d", "app=shop", "shop");
}

static void test_labels_of_runtimes(void **state)
{
	_cleanup_(model_freep) struct model *model = make();

	(void)state;
	add(model, "shop", "shop-web-1",
		"com.docker.compose.project=shop com.docker.compose.service=web "
		"com.docker.compose.container-number=1 org.opencontainers.image.title=nginx");
	add(model, "shop", "one", "org.opencontainers.image.title=nginx pod=one");
	add(model, "shop", "two", "note=x/y:z");
	add(model, "shop", "three", "");
	add(model, "x}, {cidr: 0.0.0.0/0", "four", "app=web");
	assert_int_equal(model_finish(model, NULL), 0);
	selects(model, "shop", "shop-web-1", "com.docker.compose.service=web", "web");
	selects(model, "shop", "one", NULL, "one");
	selects(model, "shop", "two", NULL, "two");
	selects(model, "shop", "three", NULL, "three");
	selects(model, "x}, {cidr: 0.0.0.0/0", "four", NULL, "four");
}

static void peer_is(const struct suggest_role *role, const char *namespace, const char *expected)
{
	char *peer = suggest_role_peer(role, namespace);

	assert_string_equal(peer, expected);
	free(peer);
}

static void test_peers(void **state)
{
	char shop[] = "shop", one[] = "app=web", two[] = "app=web,env=prod";
	struct suggest_role role = {.namespace = shop, .selector = one};

	(void)state;
	peer_is(&role, "shop", "{workloads: app=web}");
	peer_is(&role, "blog",
		"{workloads: app=web, namespaces: kubernetes.io/metadata.name=shop}");
	role.selector = two;
	peer_is(&role, "shop", "{workloads: \"app=web,env=prod\"}");
	role = (struct suggest_role){.host = true};
	peer_is(&role, "shop", "{entity: host}");
	role.host = false;
	assert_int_equal(address_parse("192.0.2.1", &role.address), 0);
	peer_is(&role, "shop", "{cidr: 192.0.2.1/32}");
	assert_int_equal(address_parse("2001:db8::1", &role.address), 0);
	peer_is(&role, "shop", "{cidr: \"2001:db8::1/128\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_it_does_not_which_one_it_is),
		cmocka_unit_test(test_as_few_as_are_enough),
		cmocka_unit_test(test_labels_of_runtimes),
		cmocka_unit_test(test_peers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
