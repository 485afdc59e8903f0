/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lock.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <errno.h>

static char directory[64];

static int make_place(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/test-lock.XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_place(void **state)
{
	char path[96];

	(void)state;
	snprintf(path, sizeof(path), "%s/lock", directory);
	unlink(path);
	return rmdir(directory);
}

static void test_second_is_told_the_first(void **state)
{
	_cleanup_close_ int first = -1;
	struct error error = ERROR_INIT;
	char pid[32];
	int second = -1;

	(void)state;
	assert_int_equal(lock_directory(directory, &first, &error), 0);
	assert_true(first >= 0);
	assert_int_equal(lock_directory(directory, &second, &error), -EBUSY);
	assert_int_equal(second, -1);
	snprintf(pid, sizeof(pid), "(pid %d)", getpid());
	assert_non_null(strstr(error_message(&error), pid));
	error_clear(&error);
}

/* The file is still there, with the number of somebody who is not. */
static void test_lock_ends_with_its_holder(void **state)
{
	_cleanup_close_ int lock = -1;
	struct error error = ERROR_INIT;
	pid_t child = fork();
	int status;

	(void)state;
	if (!child) {
		int held;

		_exit(lock_directory(directory, &held, NULL) ? 1 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(lock_directory(directory, &lock, &error), 0);
}

static void test_names_what_cannot_be_locked(void **state)
{
	struct error error = ERROR_INIT;
	int lock = -1;

	(void)state;
	assert_true(lock_directory("/proc/no/such", &lock, &error) < 0);
	assert_non_null(strstr(error_message(&error), "/proc/no/such"));
	assert_int_equal(lock, -1);
	error_clear(&error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_second_is_told_the_first, make_place, remove_place),
		cmocka_unit_test_setup_teardown(
			test_lock_ends_with_its_holder, make_place, remove_place),
		cmocka_unit_test(test_names_what_cannot_be_locked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
