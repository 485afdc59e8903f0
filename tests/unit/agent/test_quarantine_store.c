/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quarantine_store.h"

#include "base/cleanup.h"
#include "json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[64];

static int make_directory(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/segd-quarantine.XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/quarantine.json", directory);
	unlink(path);
	return rmdir(directory);
}

static void put(struct quarantine_list *list, const char *name, const char *id,
	enum quarantine_origin origin)
{
	_cleanup_json_ json_t *allow = json_pack(
		"[{s:[{s:s}], s:[s]}]", "from", "cidr", "192.0.2.7/32", "ports", "tcp/22");
	_cleanup_quarantine_ struct quarantine quarantine = {
		.id = id ? strdup(id) : NULL,
		.user = strdup("alice"),
		.uid = 1000,
		.origin = origin,
		.since_ns = 1790000000000000001,
		.until_ns = 1790000001000000002,
	};

	assert_int_equal(quarantine_document_new("shop", name, "odd \"DNS\": ü # x", allow,
				 &quarantine.document, NULL),
		0);
	assert_int_equal(quarantine_list_put(list, &quarantine), 0);
	assert_null(quarantine.document);
}

static void test_keeps_everything(void **state)
{
	_cleanup_quarantine_list_ struct quarantine_list list = {0}, loaded = {0};
	const struct quarantine *web;
	_cleanup_json_ json_t *allow = NULL;

	(void)state;
	put(&list, "web", "docker/4f2a91", QUARANTINE_MANUAL);
	put(&list, "Api_1", NULL, QUARANTINE_DETECTOR);
	assert_int_equal(quarantine_store_save(directory, &list, NULL), 0);
	assert_int_equal(quarantine_store_load(directory, &loaded, NULL), 0);
	assert_int_equal(loaded.count, 2);
	assert_int_equal(quarantine_list_count(&loaded, QUARANTINE_DETECTOR), 1);
	web = quarantine_list_find(&loaded, "shop", "web");
	assert_non_null(web);
	assert_string_equal(web->document->reason, "odd \"DNS\": ü # x");
	assert_string_equal(web->id, "docker/4f2a91");
	assert_string_equal(web->user, "alice");
	assert_int_equal(web->uid, 1000);
	assert_int_equal(web->since_ns, 1790000000000000001);
	assert_int_equal(web->until_ns, 1790000001000000002);
	allow = quarantine_allow(web);
	assert_int_equal(json_array_size(allow), 1);
	assert_null(quarantine_list_find(&loaded, "shop", "Api_1")->id);
}

static void test_nothing_is_an_empty_list(void **state)
{
	_cleanup_quarantine_list_ struct quarantine_list list = {0};

	(void)state;
	assert_int_equal(quarantine_store_load("/nonexistent", &list, NULL), 0);
	assert_int_equal(list.count, 0);
}

static void test_damage_is_an_error(void **state)
{
	static const char *const texts[] = {
		"",
		"{}",
		"{\"version\": 2, \"quarantines\": []}",
		"{\"version\": 1, \"quarantines\": [{}]}",
	};
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/quarantine.json", directory);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_quarantine_list_ struct quarantine_list list = {0};
		_cleanup_error_ struct error error = ERROR_INIT;
		FILE *file = fopen(path, "we");

		assert_non_null(file);
		fputs(texts[i], file);
		fclose(file);
		assert_int_equal(quarantine_store_load(directory, &list, &error), -EBADMSG);
		assert_non_null(strstr(error_message(&error), "quarantine.json"));
		assert_int_equal(list.count, 0);
	}
}

static void test_list_replaces_and_removes(void **state)
{
	_cleanup_quarantine_list_ struct quarantine_list list = {0}, copy = {0};
	_cleanup_(documents_clear) struct document_list documents = {0};

	(void)state;
	put(&list, "web", NULL, QUARANTINE_MANUAL);
	put(&list, "db", NULL, QUARANTINE_MANUAL);
	put(&list, "web", "docker/2", QUARANTINE_MANUAL);
	assert_int_equal(list.count, 2);
	assert_string_equal(list.items[0].document->name, "db");
	assert_string_equal(list.items[1].id, "docker/2");
	assert_int_equal(quarantine_list_copy(&list, &copy), 0);
	quarantine_list_remove(&list, 0);
	assert_null(quarantine_list_find(&list, "shop", "db"));
	assert_non_null(quarantine_list_find(&list, "shop", "web"));
	assert_int_equal(copy.count, 2);
	assert_int_equal(quarantine_list_documents(&copy, &documents), 0);
	assert_int_equal(documents.count, 2);
	assert_ptr_equal(documents.items[1], list.items[0].document);
}

static void test_list_is_bounded(void **state)
{
	_cleanup_quarantine_list_ struct quarantine_list list = {0};
	_cleanup_quarantine_ struct quarantine more = {0};

	(void)state;
	for (int i = 0; i < QUARANTINES_MAX; i++) {
		char name[16];

		snprintf(name, sizeof(name), "w%d", i);
		put(&list, name, NULL, QUARANTINE_MANUAL);
	}
	assert_int_equal(
		quarantine_document_new("shop", "more", "odd", NULL, &more.document, NULL), 0);
	assert_int_equal(quarantine_list_put(&list, &more), -ENOSPC);
	assert_int_equal(list.count, QUARANTINES_MAX);
	put(&list, "w7", "docker/7", QUARANTINE_MANUAL);
	assert_string_equal(quarantine_list_find(&list, "shop", "w7")->id, "docker/7");
}

static void test_bad_reason_is_told(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct document *document = NULL;

	(void)state;
	assert_int_equal(
		quarantine_document_new("shop", "web", "", NULL, &document, &error), -EINVAL);
	assert_non_null(strstr(error_message(&error), "reason"));
	assert_null(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeps_everything),
		cmocka_unit_test(test_nothing_is_an_empty_list),
		cmocka_unit_test(test_damage_is_an_error),
		cmocka_unit_test(test_list_replaces_and_removes),
		cmocka_unit_test(test_list_is_bounded),
		cmocka_unit_test(test_bad_reason_is_told),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
