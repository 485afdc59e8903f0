/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "url.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_segments_are_escaped(void **state)
{
	_cleanup_free_ char *url = NULL;

	(void)state;
	url_segment(&url, "v1");
	url_segment(&url, "shop/db 1?");
	assert_string_equal(url, "/v1/shop%2Fdb%201%3F");
}

static void test_queries_follow_each_other(void **state)
{
	_cleanup_free_ char *url = NULL;

	(void)state;
	url_segment(&url, "map");
	url_query(&url, "label", "app=db");
	url_query(&url, "from", "caf\u00e9&to=x");
	assert_string_equal(url, "/map?label=app%3Ddb&from=caf%C3%A9%26to%3Dx");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_segments_are_escaped),
		cmocka_unit_test(test_queries_follow_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
