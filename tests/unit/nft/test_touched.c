/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/touched.h"

#include "fixture.h"

static const struct shape of_one = {.fields = {FIELD_IPV4}};
static const struct shape of_pairs = {.fields = {FIELD_IPV6, FIELD_IPV6}};
static const struct shape of_ports = {.fields = {FIELD_PROTOCOL, FIELD_PORT}};

static void add(struct element_list *list, const char *one, const char *other)
{
	struct element element = {.target.code = TARGET_NONE};
	struct address address = fixture_address(one);

	element_key_add_address(&element, &address);
	if (other) {
		address = fixture_address(other);
		element_key_add_address(&element, &address);
	}
	assert_int_equal(element_list_add(list, &element), 0);
}

static bool has(const struct touched *touched, const char *text)
{
	struct address address = fixture_address(text);

	return touched_has(touched, &address);
}

static void test_holds_the_addresses_of_keys(void **state)
{
	struct element_list ones = {0}, pairs = {0};
	struct touched touched = {0};

	(void)state;
	assert_true(touched_is_empty(&touched));
	assert_false(has(&touched, "10.0.0.1"));
	add(&ones, "10.0.0.9", NULL);
	add(&ones, "10.0.0.1", NULL);
	add(&pairs, "fd00::1", "fd00::7");
	touched_add(&touched, &of_one, &ones);
	touched_add(&touched, &of_one, &ones);
	touched_add(&touched, &of_pairs, &pairs);
	touched_sort(&touched);
	assert_false(touched_is_empty(&touched));
	assert_true(has(&touched, "10.0.0.1"));
	assert_true(has(&touched, "10.0.0.9"));
	assert_true(has(&touched, "fd00::1"));
	assert_true(has(&touched, "fd00::7"));
	assert_false(has(&touched, "10.0.0.2"));
	assert_false(has(&touched, "fd00::2"));
	touched_clear(&touched);
	element_list_clear(&ones);
	element_list_clear(&pairs);
}

static void test_other_keys_touch_all(void **state)
{
	struct element_list ports = {0};
	struct element element = {.key_length = 8, .target.code = TARGET_NONE};
	struct touched touched = {0};

	(void)state;
	touched_add(&touched, &of_ports, &ports);
	assert_true(touched_is_empty(&touched));
	assert_int_equal(element_list_add(&ports, &element), 0);
	touched_add(&touched, &of_ports, &ports);
	assert_false(touched_is_empty(&touched));
	assert_true(has(&touched, "10.0.0.2"));
	touched_clear(&touched);
	element_list_clear(&ports);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holds_the_addresses_of_keys),
		cmocka_unit_test(test_other_keys_touch_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
