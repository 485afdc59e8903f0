/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/pool.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct pool_item *intern(struct pool *pool, const char *content)
{
	struct pool_item *item;

	assert_int_equal(pool_intern(pool, content, strlen(content), &item), 0);
	return item;
}

static void test_equal_content_has_one_number(void **state)
{
	struct pool pool = {.numbers = NUMBERS_INIT(0, 16)};
	struct pool_item *a = intern(&pool, "a"), *b = intern(&pool, "b");

	(void)state;
	assert_int_not_equal(a->number, b->number);
	assert_ptr_equal(intern(&pool, "a"), a);
	assert_int_not_equal(intern(&pool, "ab")->number, a->number);
	pool_clear(&pool);
}

static void test_running_content_is_shared(void **state)
{
	struct pool pool = {.numbers = NUMBERS_INIT(0, 16)};
	uint32_t used[] = {7};
	struct pool_item *item;

	(void)state;
	assert_int_equal(numbers_adopt(&pool.numbers, used, 1), 0);
	assert_int_equal(pool_adopt(&pool, 7, "a", 1), 0);
	item = intern(&pool, "a");
	assert_int_equal(item->number, 7);
	assert_int_equal(item->use, USE_RUNNING | USE_NEXT);
	assert_false(pool_item_is_new(item));
	assert_true(pool_item_is_new(intern(&pool, "b")));
	pool_clear(&pool);
}

static void test_bound(void **state)
{
	struct pool pool = {.numbers = NUMBERS_INIT(0, 2)};
	struct pool_item *item;

	(void)state;
	intern(&pool, "a");
	item = intern(&pool, "b");
	assert_int_equal(pool_intern(&pool, "c", 1, &item), -E2BIG);
	pool_remove(&pool, item);
	intern(&pool, "c");
	pool_clear(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_content_has_one_number),
		cmocka_unit_test(test_running_content_is_shared),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
