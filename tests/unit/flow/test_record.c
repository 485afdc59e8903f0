// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "base/cleanup.h"
#include "flow/record.h"

#include <errno.h>

#define DATA "tests/unit/flow/data/flows.log"

/* Each line of a recorded log, read and written again, is the same to the byte. */
static void recorded_lines_survive_a_round_trip(void **state)
{
	struct writer writer = WRITER_INIT;
	char *line = NULL;
	size_t capacity = 0, lines = 0;
	ssize_t length;
	FILE *file = fopen(DATA, "re");

	(void)state;
	assert_non_null(file);
	while ((length = getline(&line, &capacity, file)) > 0) {
		json_t *json = json_loads(line, 0, NULL);
		struct name *node = name_new(NULL, json_incref(json_object_get(json, "node")));
		struct record record;

		assert_int_equal(record_from_json(json, &record), 0);
		writer_reset(&writer);
		record_write(&record, node, &writer);
		assert_int_equal(writer.length, length);
		assert_memory_equal(writer.data, line, (size_t)length);
		record_clear(&record);
		name_release(node);
		json_decref(json);
		lines++;
	}
	assert_int_equal(lines, 13);
	free(line);
	fclose(file);
	writer_clear(&writer);
}

static void addresses_are_written_as_everywhere_else(void **state)
{
	struct record record = {.event = fixture_event(1)};
	struct writer writer = WRITER_INIT;
	char address[ADDRESS_TEXT_MAX], expected[128];

	(void)state;
	record.event.ethertype = 0x0806; /* no ports */
	for (unsigned int octet = 0; octet <= 255; octet++) {
		record.event.source.bytes[12 + octet % 4] = (uint8_t)octet;
		snprintf(expected, sizeof(expected), "{\"ip\":\"%s\"}",
			address_format(&record.event.source, address));
		writer_reset(&writer);
		record_write_end(&record, RECORD_SOURCE, &writer);
		assert_int_equal(writer.length, strlen(expected));
		assert_memory_equal(writer.data, expected, writer.length);
	}
	writer_clear(&writer);
}

static void hostile_names_stay_one_line_of_json(void **state)
{
	struct record record = {.event = fixture_event(1)};
	struct writer scratch = WRITER_INIT;
	struct name *node;
	json_t *json;

	(void)state;
	record.source = name_new(NULL,
		json_pack("{s:s, s:{s:s}}", "workload", "a\"b\\c\nd\x01", "labels", "k\n\"", "\n"));
	node = name_new(NULL, json_string("n\"\n"));
	json = record_to_json(&record, node, &scratch);
	assert_non_null(json);
	assert_ptr_equal(
		memchr(scratch.data, '\n', scratch.length), scratch.data + scratch.length - 1);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(json, "source"), "workload")),
		"a\"b\\c\nd\x01");
	assert_string_equal(json_string_value(json_object_get(json, "node")), "n\"\n");
	json_decref(json);
	name_release(node);
	record_clear(&record);
	writer_clear(&scratch);
}

/* As in the flow log, to the byte; and as detectors read it. */
static void what_packets_said_survives_a_round_trip(void **state)
{
	struct record record = {.event = fixture_event(1)}, parsed;
	struct writer first = WRITER_INIT, second = WRITER_INIT;
	json_t *json;

	(void)state;
	record.destination = fixture_name(
		NULL, "{\"entity\":\"world\",\"names\":[\"a.example.org\",\"b.example.org\"]}");
	record.observed = (struct flow_observation){
		.application = fixture_name(
			NULL, "{\"application\":\"dns\",\"server_name\":\"x.example\"}"),
		.domain = fixture_name(NULL, "\"example.org\""),
		.dns = {.queries = 4000000000U,
			.answers = 3,
			.failures = 2,
			.unique_names = 256,
			.longest_name = 254,
			.entropy = 407},
	};
	json = record_to_json(&record, NULL, &first);
	assert_non_null(json);
	assert_int_equal(record_from_json(json, &parsed), 0);
	assert_memory_equal(
		&parsed.observed.dns, &record.observed.dns, sizeof(parsed.observed.dns));
	assert_string_equal(parsed.observed.domain->text, "\"example.org\"");
	record_write(&parsed, NULL, &second);
	assert_int_equal(first.length, second.length);
	assert_memory_equal(first.data, second.data, first.length);
	assert_non_null(strstr(first.data, "\"entropy\":4.07,\"domain\":\"example.org\"}}\n"));
	assert_non_null(strstr(first.data, "\"names\":[\"a.example.org\",\"b.example.org\"]}"));
	json_decref(json);
	record_clear(&record);
	record_clear(&parsed);
	writer_clear(&first);
	writer_clear(&second);
}

static void the_largest_counters_are_exact(void **state)
{
	struct record record = {.event = fixture_event(UINT64_MAX)}, parsed;
	struct writer scratch = WRITER_INIT;
	json_t *json;

	(void)state;
	record.event.packets[0] = INT64_MAX;
	record.event.bytes[1] = INT64_MAX;
	json = record_to_json(&record, NULL, &scratch);
	assert_non_null(json);
	assert_int_equal(record_from_json(json, &parsed), 0);
	assert_true(parsed.event.id == UINT64_MAX);
	assert_true(parsed.event.packets[0] == INT64_MAX);
	assert_true(parsed.event.bytes[1] == INT64_MAX);
	record_clear(&parsed);
	json_decref(json);
	writer_clear(&scratch);
}

/* An end of which nothing is known has null, and where both are such, nothing is said. */
static void what_sockets_said_survives_a_round_trip(void **state)
{
	static const struct {
		uint32_t round_trip_us[2];
		uint32_t retransmissions[2];
		const char *text;
	} cases[] = {
		{{0, 0}, {0, 0}, NULL},
		{{38, 0}, {0, 0}, ",\"round_trip_us\":[38,null],\"retransmissions\":[0,null]"},
		{{0, 41}, {3, 0}, ",\"round_trip_us\":[null,41],\"retransmissions\":[3,0]"},
		{{1, UINT32_MAX}, {UINT32_MAX, 2},
			",\"round_trip_us\":[1,4294967295],\"retransmissions\":[4294967295,2]"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct record record = {.event = fixture_event(1)}, parsed;
		struct writer scratch = WRITER_INIT;
		struct flow_event *event = &record.event;
		json_t *json;

		memcpy(event->round_trip_us, cases[i].round_trip_us, sizeof(event->round_trip_us));
		memcpy(event->retransmissions, cases[i].retransmissions,
			sizeof(event->retransmissions));
		json = record_to_json(&record, NULL, &scratch);
		assert_non_null(json);
		writer_bytes(&scratch, "", 1);
		if (cases[i].text)
			assert_non_null(strstr(scratch.data, cases[i].text));
		else
			assert_null(strstr(scratch.data, "round_trip_us"));
		assert_int_equal(record_from_json(json, &parsed), 0);
		assert_memory_equal(parsed.event.round_trip_us, event->round_trip_us,
			sizeof(event->round_trip_us));
		assert_memory_equal(parsed.event.retransmissions, event->retransmissions,
			sizeof(event->retransmissions));
		record_clear(&parsed);
		json_decref(json);
		writer_clear(&scratch);
	}
}

/* Whatever JSON comes in, nothing breaks. */
static void nonsense_is_read_as_far_as_it_goes(void **state)
{
	static const char *const texts[] = {"{}", "{\"event\": 7, \"source\": 1}",
		"{\"event\": \"new\", \"source\": {\"ip\": \"nowhere\", \"labels\": []}}",
		"{\"event\": \"gap\", \"lost\": -1}",
		"{\"event\": \"new\", \"application\": 3, \"dns\": {\"queries\": -1, "
		"\"longest_name\": 1e9, \"entropy\": \"x\", \"unique_names\": 99999}}",
		"{\"event\": \"end\", \"round_trip_us\": [-1, 1e300], "
		"\"retransmissions\": {\"0\": 1}}",
		"{\"event\": \"new\", \"dns\": 7, \"destination\": {\"names\": 7}}",
		"{\"event\": \"denied\", \"packets\": [1], \"bytes\": \"x\", \"rule\": 3, "
		"\"direction\": \"up\", \"source\": {\"mac\": \"zz\", \"port\": 99999999}}"};
	struct record record;
	json_t *array = json_array();

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *json = json_loads(texts[i], 0, NULL);

		assert_non_null(json);
		assert_int_equal(record_from_json(json, &record), 0);
		record_clear(&record);
		json_decref(json);
	}
	assert_int_equal(record_from_json(array, &record), -EINVAL);
	json_decref(array);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_lines_survive_a_round_trip),
		cmocka_unit_test(addresses_are_written_as_everywhere_else),
		cmocka_unit_test(hostile_names_stay_one_line_of_json),
		cmocka_unit_test(what_packets_said_survives_a_round_trip),
		cmocka_unit_test(what_sockets_said_survives_a_round_trip),
		cmocka_unit_test(the_largest_counters_are_exact),
		cmocka_unit_test(nonsense_is_read_as_far_as_it_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
