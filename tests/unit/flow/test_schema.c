// SPDX-License-Identifier: GPL-2.0-or-later
/* The schema file names what this segd writes, no less and no more. Whether records are as it says
 * is for tests/validate_records.py, which the end-to-end tests call. */
#include "fixture.h"

#include "base/cleanup.h"
#include "flow/record.h"
#include "flow/vocabulary.h"

#define SCHEMA "enforcer/flow/record.schema.json"

static json_t *schema;

static int load(void **state)
{
	json_error_t error;

	(void)state;
	schema = json_load_file(SCHEMA, JSON_REJECT_DUPLICATES, &error);
	if (!schema)
		print_error("%s:%d: %s\n", SCHEMA, error.line, error.text);
	return schema ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	json_decref(schema);
	return 0;
}

static const json_t *member_of(const char *definition, const char *member)
{
	json_t *form = json_object_get(json_object_get(schema, "definitions"), definition);

	return json_object_get(json_object_get(form, "properties"), member);
}

static void assert_words(const json_t *member, const char *(*name)(int), int count)
{
	const json_t *words = json_object_get(member, "enum");

	assert_int_equal(json_array_size(words), count);
	for (int i = 0; i < count; i++)
		assert_string_equal(json_string_value(json_array_get(words, (size_t)i)), name(i));
}

static const char *reason_of(int i)
{
	return reason_name((enum reason)i);
}

static const char *verdict_of(int i)
{
	return flow_verdict_name((enum flow_verdict)i);
}

static const char *event_of(int i)
{
	return flow_event_type_name((enum flow_event_type)i);
}

static void names_all_words(void **state)
{
	(void)state;
	assert_words(member_of("flow", "reason"), reason_of, REASON_COUNT);
	assert_words(member_of("flow", "verdict"), verdict_of, FLOW_AUDITED + 1);
	assert_words(member_of("flow", "event"), event_of, FLOW_GAP); /* a gap is another form */
}

static void names_the_version(void **state)
{
	static const char *const forms[] = {"flow", "gap"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		assert_int_equal(
			json_integer_value(json_object_get(member_of(forms[i], "schema"), "const")),
			RECORD_SCHEMA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_all_words),
		cmocka_unit_test(names_the_version),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
