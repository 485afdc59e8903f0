// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "control/route.h"

static const struct control_route route = {
	"DELETE", "/v1/policies/{kind}/{namespace}/{name}", CONTROL_CHANGE, NULL};

static void matches_segment_by_segment(void **state)
{
	(void)state;
	assert_true(route_matches(&route, "/v1/policies/netpol/shop/db"));
	assert_true(route_matches(&route, "/v1/policies/netpol/-/%2F"));
	assert_false(route_matches(&route, "/v1/policies/netpol/shop"));
	assert_false(route_matches(&route, "/v1/policies/netpol/shop/"));
	assert_false(route_matches(&route, "/v1/policies/netpol//db"));
	assert_false(route_matches(&route, "/v1/policies/netpol/shop/db/"));
	assert_false(route_matches(&route, "/v1/policies/netpol/shop/db/more"));
	assert_false(route_matches(&route, "/v1/policiesx/netpol/shop/db"));
	assert_false(route_matches(&route, "v1/policies/netpol/shop/db"));
	assert_false(route_matches(&route, ""));
}

static void names_what_stands_in_the_path(void **state)
{
	struct parameters parameters = {NULL, 0};

	(void)state;
	assert_int_equal(
		route_parameters(&route, "/v1/policies/NetworkPolicy/shop/a%2fb%25", &parameters),
		0);
	assert_int_equal(parameters.count, 3);
	assert_string_equal(parameters.items[0].name, "kind");
	assert_string_equal(parameters.items[1].value, "shop");
	assert_string_equal(parameters.items[2].value, "a/b%");
	assert_false(parameters.items[2].query);
	parameters_clear(&parameters);
	assert_int_equal(
		route_parameters(&route, "/v1/policies/NetworkPolicy/shop/%00", &parameters),
		-EINVAL);
	parameters_clear(&parameters);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_segment_by_segment),
		cmocka_unit_test(names_what_stands_in_the_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
