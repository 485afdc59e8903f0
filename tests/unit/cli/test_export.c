/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "client.h"
#include "export.h"
#include "record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static json_t *parse(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	return json;
}

static double number(const json_t *json, const char *object, const char *key)
{
	return field_number(json_object_get(json, object), key);
}

static const char *text(const json_t *json, const char *object, const char *key)
{
	return field_text(json_object_get(json, object), key);
}

#define REFUSAL                                                                                  \
	"{\"source\": {\"ip\": \"fd00::6\", \"workload\": \"intruder\", \"namespace\": \"x\","   \
	" \"labels\": {\"app.kubernetes.io/name\": \"i\"}},"                                     \
	" \"destination\": {\"ip\": \"fd00::4\", \"entity\": \"host\"}, \"protocol\": \"tcp\","  \
	" \"port\": 22, \"verdict\": \"denied\", \"direction\": \"egress\","                     \
	" \"reason\": \"policy_denied\", \"rule\": {\"tier\": \"application\","                  \
	" \"kind\": \"SegmentPolicy\", \"namespace\": \"x\", \"name\": \"p\", \"index\": null}," \
	" \"packets\": [7, 0], \"bytes\": [420, 0], \"start\": \"2026-11-21T08:00:01.5Z\","      \
	" \"end\": \"2026-11-21T08:00:03.25Z\"}"

/* It has no event, no time and no id, and its port stands beside its ends. */
static void test_refusal_as_ocsf(void **state)
{
	_cleanup_json_ json_t *refusal = parse(REFUSAL);
	_cleanup_json_ json_t *ocsf = export_ocsf(refusal);

	(void)state;
	assert_true(field_number(ocsf, "type_uid") == 400105);
	assert_true(field_number(ocsf, "time") == 1795248003250.0);
	assert_true(field_number(ocsf, "duration") == 1750);
	assert_true(field_number(ocsf, "count") == 7);
	assert_true(field_number(ocsf, "disposition_id") == 2);
	assert_true(number(ocsf, "dst_endpoint", "port") == 22);
	assert_string_equal(text(ocsf, "dst_endpoint", "zone"), "host");
	assert_true(number(ocsf, "connection_info", "protocol_ver_id") == 6);
	assert_true(number(ocsf, "connection_info", "direction_id") == 2);
	assert_string_equal(text(ocsf, "policy", "name"), "x/p");
}

static void test_refusal_as_ecs(void **state)
{
	_cleanup_json_ json_t *refusal = parse(REFUSAL);
	_cleanup_json_ json_t *ecs = export_ecs(refusal);

	(void)state;
	assert_string_equal(field_text(ecs, "@timestamp"), "2026-11-21T08:00:03.25Z");
	assert_true(number(ecs, "event", "duration") == 1750000000.0);
	assert_string_equal(text(ecs, "event", "action"), "denied");
	assert_true(number(ecs, "destination", "port") == 22);
	assert_string_equal(text(ecs, "network", "type"), "ipv6");
	assert_string_equal(text(ecs, "labels", "source_app_kubernetes_io/name"), "i");
}

/* Not IP: neither a number nor a version. */
static void test_neighbour_traffic(void **state)
{
	_cleanup_json_ json_t *record = parse(
		"{\"event\": \"denied\", \"verdict\": \"denied\", \"protocol\": \"arp\","
		" \"source\": {\"ip\": \"10.0.0.1\"}, \"destination\": {\"ip\": \"10.0.0.2\"}}");
	_cleanup_json_ json_t *ocsf = export_ocsf(record), *ecs = export_ecs(record);
	const json_t *connection = json_object_get(ocsf, "connection_info");

	(void)state;
	assert_null(json_object_get(connection, "protocol_num"));
	assert_null(json_object_get(connection, "protocol_ver_id"));
	assert_null(json_object_get(json_object_get(ecs, "network"), "iana_number"));
	assert_string_equal(text(ecs, "network", "transport"), "arp");
}

/* A log is a file that anybody may have written. */
static void test_nonsense_is_survived(void **state)
{
	static const char *const records[] = {
		"{}",
		"{\"event\": 7, \"verdict\": [], \"source\": \"x\", \"destination\": 3}",
		"{\"event\": \"gap\"}",
		"{\"packets\": {}, \"bytes\": [\"a\"], \"rule\": 1, \"time\": \"never\"}",
		"{\"source\": {\"labels\": {\"a\": 1, \"b\": {\"c\": null}}}, \"tcp_flags\": 9}",
		"{\"start\": \"2026-11-21T08:00:03Z\", \"end\": \"2026-11-21T08:00:01Z\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		_cleanup_json_ json_t *record = parse(records[i]);
		_cleanup_json_ json_t *ocsf = export_ocsf(record), *ecs = export_ecs(record);

		assert_true(json_is_object(ocsf));
		assert_true(json_is_object(ecs));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusal_as_ocsf),
		cmocka_unit_test(test_refusal_as_ecs),
		cmocka_unit_test(test_neighbour_traffic),
		cmocka_unit_test(test_nonsense_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
