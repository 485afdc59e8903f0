/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each document in policies/invalid gives exactly the diagnostics that stand beside it. With
 * UPDATE_EXPECTED=1 they are written instead, to be read before they are committed. */
#include "policies/document.h"

#include "base/cleanup.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define DIRECTORY "policies/invalid"

static char *slurp(const char *path, size_t *ret_size)
{
	_cleanup_file_ FILE *stream = fopen(path, "re");
	char *text = calloc(1, 1 << 16);

	assert_non_null(stream);
	assert_non_null(text);
	*ret_size = fread(text, 1, (1 << 16) - 1, stream);
	return text;
}

/* What is printed for the file, under its bare name. */
static char *diagnose(const char *path, const char *name)
{
	struct document_list list = {0};
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	_cleanup_free_ char *text = NULL;
	char *printed = NULL;
	size_t size, printed_size;
	FILE *stream = open_memstream(&printed, &printed_size);

	text = slurp(path, &size);
	if (!documents_parse(&list, name, text, size, &diagnostics))
		documents_check_unique(&list, &diagnostics);
	else
		assert_int_equal(list.count, 0);
	assert_true(diagnostics.errors > 0);
	diagnostics_sort(&diagnostics);
	diagnostics_print(&diagnostics, stream);
	fclose(stream);
	diagnostics_clear(&diagnostics);
	documents_clear(&list);
	return printed;
}

static void check_file(const char *name)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *expected_path = NULL;
	_cleanup_free_ char *expected = NULL;
	_cleanup_free_ char *found = NULL;
	int stem = (int)(strrchr(name, '.') - name);
	size_t size;

	assert_true(asprintf(&path, DIRECTORY "/%s", name) > 0);
	assert_true(asprintf(&expected_path, DIRECTORY "/%.*s.expected", stem, name) > 0);
	found = diagnose(path, name);
	if (getenv("UPDATE_EXPECTED")) {
		_cleanup_file_ FILE *stream = fopen(expected_path, "we");

		assert_non_null(stream);
		fputs(found, stream);
		return;
	}
	expected = slurp(expected_path, &size);
	assert_string_equal(found, expected);
}

static void test_all(void **state)
{
	DIR *directory = opendir(DIRECTORY);
	const struct dirent *entry;
	unsigned int count = 0;

	(void)state;
	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		const char *dot = strrchr(entry->d_name, '.');

		if (!dot || strcmp(dot, ".yaml"))
			continue;
		check_file(entry->d_name);
		count++;
	}
	closedir(directory);
	assert_true(count >= 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_all)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
