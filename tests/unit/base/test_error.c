/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/error.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void test_context_gathers(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_string_equal(error_message(&error), "no error");
	assert_int_equal(error_errno(&error, -EACCES, "open %s", "/var/lib/segd"), -EACCES);
	assert_int_equal(error_context(&error, -EACCES, "apply %d policies", 3), -EACCES);
	assert_string_equal(
		error_message(&error), "apply 3 policies: open /var/lib/segd: Permission denied");
	assert_int_equal(error.code, -EACCES);
}

static void test_set_replaces(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_int_equal(error_set(&error, -EINVAL, "first"), -EINVAL);
	assert_int_equal(error_set(&error, -ENOENT, "second"), -ENOENT);
	assert_string_equal(error_message(&error), "second");
	assert_int_equal(error_nomem(&error), -ENOMEM);
	assert_string_equal(error_message(&error), "out of memory");
	error_clear(&error);
	assert_int_equal(error.code, 0);
	assert_null(error.message);
}

static void test_context_without_message(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_int_equal(error_context(&error, -ENOENT, "read"), -ENOENT);
	assert_string_equal(error_message(&error), "read: No such file or directory");
}

static void test_null_collects_nothing(void **state)
{
	(void)state;
	assert_int_equal(error_set(NULL, -EINVAL, "x"), -EINVAL);
	assert_int_equal(error_errno(NULL, -EINVAL, "x"), -EINVAL);
	assert_int_equal(error_context(NULL, -EINVAL, "x"), -EINVAL);
	assert_int_equal(error_nomem(NULL), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_context_gathers),
		cmocka_unit_test(test_set_replaces),
		cmocka_unit_test(test_context_without_message),
		cmocka_unit_test(test_null_collects_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
