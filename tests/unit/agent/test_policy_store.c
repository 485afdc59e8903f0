/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy_store.h"

#include "base/cleanup.h"
#include "json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static const char two[] = "# a comment\n"
			  "apiVersion: segctl.io/v1\n"
			  "kind: SegmentPolicy\n"
			  "metadata: {name: first}\n"
			  "spec: {subject: app=a, ingress: []}\n"
			  "---\n"
			  "apiVersion: v1\n"
			  "kind: Namespace\n"
			  "metadata: {name: shop, labels: {team: x}}\n";

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

static void parse_two(struct document_list *list)
{
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;

	assert_int_equal(documents_parse(list, "two.yaml", two, strlen(two), &diagnostics), 0);
	diagnostics_clear(&diagnostics);
	assert_int_equal(list->count, 2);
}

static void write_store(const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/policies.json", directory);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void test_empty(void **state)
{
	struct document_list list = {0};

	(void)state;
	assert_int_equal(policy_store_load(directory, &list, NULL), 0);
	assert_int_equal(list.count, 0);
}

static void test_round_trip(void **state)
{
	struct document_list list = {0}, loaded = {0};
	_cleanup_json_ json_t *root = NULL;
	char path[128];

	(void)state;
	parse_two(&list);
	root = policy_store_encode(&list);
	snprintf(path, sizeof(path), "%s/policies.json", directory);
	assert_int_equal(policy_store_write(directory, path, root, NULL), 0);
	assert_int_equal(policy_store_load(directory, &loaded, NULL), 0);
	assert_int_equal(loaded.count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(loaded.items[i]->kind, list.items[i]->kind);
		assert_string_equal(loaded.items[i]->name, list.items[i]->name);
		assert_string_equal(loaded.items[i]->file, "two.yaml");
		assert_int_equal(loaded.items[i]->line, list.items[i]->line);
		assert_string_equal(loaded.items[i]->text, list.items[i]->text);
	}
	documents_clear(&list);
	documents_clear(&loaded);
	assert_int_equal(policy_store_remove(directory, NULL), 0);
	assert_int_equal(policy_store_remove(directory, NULL), 0);
	assert_int_equal(policy_store_load(directory, &loaded, NULL), 0);
	assert_int_equal(loaded.count, 0);
}

static void test_damage_is_an_error(void **state)
{
	static const char *const damaged[] = {
		"{\"version\": 1, \"documents\": [",
		"[]",
		"{\"version\": 2, \"documents\": []}",
		"{\"version\": 1, \"documents\": [{\"file\": \"a\", \"line\": 1}]}",
		"{\"version\": 1, \"documents\": [{\"file\": \"a\", \"line\": -1, \"text\": \"\"}]}",
		"{\"version\": 1, \"documents\": [{\"file\": \"a\", \"line\": 1, \"text\": \"kind: X\"}]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
		_cleanup_error_ struct error error = ERROR_INIT;
		struct document_list list = {0};

		write_store(damaged[i]);
		assert_true(policy_store_load(directory, &list, &error) < 0);
		assert_non_null(strstr(error_message(&error), "policies.json"));
		documents_clear(&list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_empty, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_round_trip, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damage_is_an_error, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
