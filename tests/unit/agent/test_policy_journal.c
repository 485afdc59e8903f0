/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy_journal.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static char directory[64];

/* Thousands of journals, each of which waits for its disk. */
static int set_up(void **state)
{
	(void)state;
	strcpy(directory, "/dev/shm/segd-journal.XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

/* Puts a policy of that name, whose subject tells its version, into list. */
static void put(struct document_list *list, const char *name, int version)
{
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	struct document_list one = {0};
	char text[256];

	snprintf(text, sizeof(text),
		"apiVersion: segctl.io/v1\nkind: SegmentPolicy\nmetadata: {name: %s}\n"
		"spec: {subject: version=v%d, ingress: []}\n",
		name, version);
	assert_int_equal(documents_parse(&one, "some.yaml", text, strlen(text), &diagnostics), 0);
	assert_int_equal(documents_merge(list, &one), 0);
	documents_clear(&one);
	diagnostics_clear(&diagnostics);
}

static void take_out(struct document_list *list, const char *name)
{
	assert_int_equal(documents_remove(list, DOCUMENT_SEGMENT_POLICY, "default", name), 0);
}

static void store(struct policy_journal *journal, const struct document_list *list)
{
	assert_int_equal(policy_journal_prepare(journal, list, NULL), 0);
	assert_int_equal(policy_journal_commit(journal, NULL), 0);
}

static void assert_same(const struct document_list *found, const struct document_list *wanted)
{
	assert_int_equal(found->count, wanted->count);
	for (size_t i = 0; i < wanted->count; i++) {
		const struct document *document = wanted->items[i];
		const struct document *other =
			documents_find(found, document->kind, document->namespace, document->name);

		assert_non_null(other);
		assert_string_equal(other->text, document->text);
		assert_string_equal(other->file, document->file);
		assert_int_equal(other->line, document->line);
	}
}

static struct policy_journal *open_journal(struct document_list *list)
{
	struct policy_journal *journal;

	assert_int_equal(policy_journal_open(directory, list, &journal, NULL), 0);
	return journal;
}

static void assert_stored(const struct document_list *wanted)
{
	struct document_list found = {0};

	policy_journal_free(open_journal(&found));
	assert_same(&found, wanted);
	documents_clear(&found);
}

static size_t read_journal(char *bytes, size_t size)
{
	_cleanup_file_ FILE *file = fopen(path_of("policies.journal"), "r");

	assert_non_null(file);
	size = fread(bytes, 1, size, file);
	return size;
}

static void write_journal(const char *bytes, size_t size)
{
	_cleanup_file_ FILE *file = fopen(path_of("policies.journal"), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
}

static void test_nothing_there(void **state)
{
	struct document_list list = {0};

	(void)state;
	policy_journal_free(open_journal(&list));
	assert_int_equal(list.count, 0);
	assert_int_not_equal(access(path_of("policies.journal"), F_OK), 0);
}

static void test_changes_come_back(void **state)
{
	struct document_list list = {0};
	struct policy_journal *journal = open_journal(&list);

	(void)state;
	put(&list, "a", 1);
	put(&list, "b", 1);
	store(journal, &list);
	assert_stored(&list);
	put(&list, "a", 2);
	put(&list, "c", 1);
	take_out(&list, "b");
	policy_journal_free(journal);
	documents_clear(&list);
	journal = open_journal(&list);
	put(&list, "a", 3);
	take_out(&list, "b");
	store(journal, &list);
	put(&list, "b", 9);
	store(journal, &list);
	policy_journal_free(journal);
	assert_stored(&list);
	documents_clear(&list);
}

static void test_what_is_aborted_never_was(void **state)
{
	struct document_list list = {0}, other = {0};
	struct policy_journal *journal = open_journal(&list);

	(void)state;
	put(&list, "a", 1);
	store(journal, &list);
	put(&other, "b", 1);
	assert_int_equal(policy_journal_prepare(journal, &other, NULL), 0);
	assert_stored(&list);
	policy_journal_free(journal);
	documents_clear(&list);

	journal = open_journal(&list);
	assert_int_equal(policy_journal_prepare(journal, &other, NULL), 0);
	policy_journal_abort(journal);
	put(&list, "c", 1);
	store(journal, &list);
	policy_journal_free(journal);
	assert_stored(&list);
	documents_clear(&list);
	documents_clear(&other);
}

#define VERSIONS 5

/* Whatever byte was the last that reached the disk: what was acknowledged is there, and nothing of
 * what was not. */
static void test_cut_at_every_byte(void **state)
{
	struct document_list lists[VERSIONS] = {{0}};
	struct document_list list = {0};
	struct policy_journal *journal = open_journal(&list);
	size_t ends[VERSIONS], size = 0, version = 0;
	static char bytes[65536];

	(void)state;
	for (size_t i = 0; i < VERSIONS; i++) {
		put(&list, i % 2 ? "odd" : "even", (int)i);
		if (i == 3)
			take_out(&list, "even");
		store(journal, &list);
		assert_int_equal(documents_copy(&list, &lists[i]), 0);
		ends[i] = size = read_journal(bytes, sizeof(bytes));
	}
	policy_journal_free(journal);
	/* The first is the empty journal that a new one begins with. */
	for (size_t cut = 0; cut <= size; cut++) {
		struct document_list found = {0};
		int r;

		while (version < VERSIONS && ends[version] <= cut)
			version++;
		write_journal(bytes, cut);
		r = policy_journal_open(directory, &found, &journal, NULL);
		if (r < 0) {
			assert_int_equal(r, -EBADMSG);
			assert_int_equal(version, 0);
			continue;
		}
		policy_journal_free(journal);
		if (version)
			assert_same(&found, &lists[version - 1]);
		else
			assert_int_equal(found.count, 0);
		documents_clear(&found);
	}
	assert_int_equal(version, VERSIONS);
	documents_clear(&list);
	for (size_t i = 0; i < VERSIONS; i++)
		documents_clear(&lists[i]);
}

/* One wrong byte in what was committed is found, wherever it is. */
static void test_damage_is_an_error(void **state)
{
	struct document_list list = {0};
	struct policy_journal *journal = open_journal(&list);
	static char bytes[65536];
	size_t size, refused = 0;

	(void)state;
	for (int i = 0; i < 3; i++) {
		put(&list, "a", i);
		store(journal, &list);
	}
	policy_journal_free(journal);
	size = read_journal(bytes, sizeof(bytes));
	/* Behind its last line feed a file is not damaged but torn. */
	for (size_t at = 0; at + 1 < size; at++) {
		_cleanup_error_ struct error error = ERROR_INIT;
		struct document_list found = {0};

		bytes[at] ^= 1;
		write_journal(bytes, size);
		bytes[at] ^= 1;
		assert_int_equal(
			policy_journal_open(directory, &found, &journal, &error), -EBADMSG);
		assert_non_null(strstr(error_message(&error), "policies.journal"));
		refused++;
	}
	assert_int_equal(refused, size - 1);
	documents_clear(&list);
}

static void test_it_does_not_grow_for_ever(void **state)
{
	struct document_list list = {0};
	struct policy_journal *journal = open_journal(&list);
	struct stat status;
	off_t largest = 0;
	int shrunk = 0;

	(void)state;
	for (int i = 0; i < 8000; i++) {
		put(&list, "a", i);
		assert_int_equal(policy_journal_prepare(journal, &list, NULL), 0);
		assert_int_equal(policy_journal_commit(journal, NULL), 0);
		assert_int_equal(stat(path_of("policies.journal"), &status), 0);
		shrunk += status.st_size < largest;
		largest = status.st_size;
		assert_true(largest < 3 << 20);
		if (shrunk)
			break;
	}
	assert_int_equal(shrunk, 1);
	policy_journal_free(journal);
	assert_stored(&list);
	documents_clear(&list);
}

static void test_takes_over_from_before_the_journal(void **state)
{
	static const char text[] =
		"{\"version\": 1, \"documents\": [{\"file\": \"f\", \"line\": 1, \"text\": "
		"\"{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\"}]}";
	struct document_list list = {0};
	FILE *file = fopen(path_of("policies.json"), "w");

	(void)state;
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	policy_journal_free(open_journal(&list));
	assert_int_equal(list.count, 1);
	assert_int_not_equal(access(path_of("policies.json"), F_OK), 0);
	assert_stored(&list);
	documents_clear(&list);
}

static void test_full_disk_changes_nothing(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct document_list list = {0}, other = {0};
	struct policy_journal *journal = open_journal(&list);

	(void)state;
	put(&list, "a", 1);
	assert_int_equal(mkdir(path_of("policies.journal.next"), 0700), 0);
	assert_true(policy_journal_prepare(journal, &list, &error) < 0);
	assert_non_null(strstr(error_message(&error), "policies.journal.next"));
	assert_int_equal(rmdir(path_of("policies.journal.next")), 0);
	assert_stored(&other);
	store(journal, &list);
	assert_stored(&list);
	policy_journal_free(journal);
	documents_clear(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_changes_come_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_aborted_never_was, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cut_at_every_byte, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damage_is_an_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_it_does_not_grow_for_ever, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_takes_over_from_before_the_journal, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_full_disk_changes_nothing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
