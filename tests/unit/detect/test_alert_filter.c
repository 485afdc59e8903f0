/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which alerts a query picks. */
#include "detect/alert_filter.h"

#include "detect/engine.h"
#include "fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct detect_settings settings;
static struct engine *engine;

static int begin(void **state)
{
	const struct engine_options options = {.settings = &settings};
	static const struct {
		const char *from, *to;
		uint16_t port;
	} flows[] = {{"web", "db", 1}, {"web", "api", 22}, {"api", "db", 23}, {"9.9.9.9", "db", 1}};

	(void)state;
	if (detect_settings_init(&settings) < 0 || engine_new(&options, &engine, NULL) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(flows); i++) {
		struct record record = fake_record(
			(double)i * 10, flows[i].from, flows[i].to, flows[i].port, FLOW_NEW);

		engine_record(engine, &record);
		record_clear(&record);
	}
	return 0;
}

static int end(void **state)
{
	(void)state;
	engine_free(engine);
	detect_settings_clear(&settings);
	return 0;
}

/* How many of the four. */
static size_t count(const char *key, const char *value)
{
	_cleanup_alert_filter_ struct alert_filter filter;
	json_t *list;
	size_t size;

	alert_filter_init(&filter);
	assert_int_equal(alert_filter_set(&filter, key, value, NULL), 0);
	list = alert_filter_list(&filter, engine_alerts(engine));
	size = json_array_size(list);
	json_decref(list);
	return size;
}

static void test_keys(void **state)
{
	const struct alert *first = engine_alerts(engine)->by_age;

	(void)state;
	assert_int_equal(count("detector", "touch"), 2);
	assert_int_equal(count("technique", "T1021"), 1);
	assert_int_equal(count("actor", "shop/web"), 2);
	assert_int_equal(count("actor", "web"), 2);
	assert_int_equal(count("actor", "blog/web"), 0);
	assert_int_equal(count("actor", "9.9.9.9"), 1);
	assert_int_equal(count("target", "db"), 3);
	assert_int_equal(count("incident", first->incident->id), 3);
	assert_int_equal(count("severity", "high"), 1);
	assert_int_equal(count("severity", "low"), 4);
	assert_int_equal(count("open", "1"), 4);
	assert_int_equal(count("open", "0"), 0);
	assert_int_equal(count("acknowledged", "0"), 4);
	assert_int_equal(count("muted", "1"), 0);
	assert_int_equal(count("since", "2027-01-15T08:00:20Z"), 2);
	assert_int_equal(count("until", "2027-01-15T08:00:19Z"), 2);
	assert_int_equal(count("limit", "3"), 3);
}

static void test_order(void **state)
{
	_cleanup_alert_filter_ struct alert_filter filter;
	json_t *list;

	(void)state;
	alert_filter_init(&filter);
	assert_int_equal(alert_filter_set(&filter, "limit", "2", NULL), 0);
	list = alert_filter_list(&filter, engine_alerts(engine));
	/* The latest, and they in order. */
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(list, 0), "detector")), "pivot");
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(list, 1), "detector")), "touch");
	json_decref(list);
}

static void refuses(const char *key, const char *value, const char *words)
{
	_cleanup_alert_filter_ struct alert_filter filter;
	_cleanup_error_ struct error error = ERROR_INIT;

	alert_filter_init(&filter);
	assert_int_equal(alert_filter_set(&filter, key, value, &error), -EINVAL);
	assert_non_null(strstr(error_message(&error), words));
}

static void test_mistakes(void **state)
{
	(void)state;
	refuses("severity", "loud", "expected low, medium");
	refuses("muted", "yes", "expected 0 or 1");
	refuses("limit", "0", "expected a number");
	refuses("limit", "-1", "expected a number");
	refuses("since", "yesterday", "expected a time");
	refuses("actor", "", "expected a value");
	refuses("colour", "red", "unknown filter");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_mistakes),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
