/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What roles are used to do: learnt, held back, forgotten, kept, bounded. */
#include "detect/baseline.h"
#include "detect/role.h"

#include "fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define DAY 86400.0

static struct baseline *begin(size_t roles_max, size_t edges_max)
{
	const struct baseline_options options = {
		.roles_max = roles_max,
		.edges_max = edges_max,
		.held_max = 4,
		.learning_ns = 7 * 86400 * SECOND,
	};
	struct baseline *baseline;

	assert_int_equal(baseline_new(&options, &baseline), 0);
	return baseline;
}

static void learn(struct baseline *baseline, double second, const char *from, const char *to,
	uint16_t port, enum flow_event_type type)
{
	struct record record = fake_record(second, from, to, port, type);

	baseline_learn(baseline, &record, false);
	record_clear(&record);
}

static unsigned int days(
	const struct baseline *baseline, const char *from, const char *to, uint16_t port)
{
	struct record record = fake_record(0, from, to, port, FLOW_NEW);
	unsigned int found = baseline_edge_days(baseline, &record);

	record_clear(&record);
	return found;
}

static long long count(const struct baseline *baseline, const char *key)
{
	json_t *json = baseline_describe(baseline);
	long long number = json_integer_value(json_object_get(json, key));

	json_decref(json);
	return number;
}

static void test_days(void **state)
{
	struct baseline *baseline = begin(8, 100);

	(void)state;
	assert_int_equal(days(baseline, "web", "db", 5432), 0);
	for (int i = 0; i < 10; i++)
		learn(baseline, i, "web", "db", 5432, FLOW_END);
	assert_int_equal(days(baseline, "web", "db", 5432), 1);
	learn(baseline, DAY, "web", "db", 5432, FLOW_UPDATE);
	learn(baseline, 3 * DAY, "web", "db", 5432, FLOW_UPDATE);
	assert_int_equal(days(baseline, "web", "db", 5432), 3);
	/* Another service, another peer, another direction are others. */
	assert_int_equal(days(baseline, "web", "db", 5433), 0);
	assert_int_equal(days(baseline, "web", "mail", 5432), 0);
	assert_int_equal(days(baseline, "db", "web", 5432), 0);
	baseline_free(baseline);
}

static void test_only_answers_teach(void **state)
{
	struct baseline *baseline = begin(8, 100);
	struct record record = fake_record(0, "web", "db", 5432, FLOW_END);

	(void)state;
	learn(baseline, 0, "web", "db", 5432, FLOW_NEW);
	record.event.packets[0] = record.event.packets[1] = 1; /* a reset */
	baseline_learn(baseline, &record, false);
	record.event.packets[0] = 2; /* a half-open look: SYN, SYN ACK, RST */
	record.event.tcp_flags = 0x16;
	baseline_learn(baseline, &record, false);
	record.event.type = FLOW_DENIED;
	record.event.verdict = FLOW_REFUSED;
	record.event.packets[0] = 9;
	baseline_learn(baseline, &record, false);
	assert_int_equal(days(baseline, "web", "db", 5432), 0);
	record_clear(&record);
	baseline_free(baseline);
}

static void test_learning_period(void **state)
{
	struct baseline *baseline = begin(8, 100);
	struct record record = fake_record(8 * DAY, "web", "db", 5432, FLOW_NEW);

	(void)state;
	assert_false(baseline_has_learnt(baseline, &record));
	learn(baseline, 2 * DAY, "web", "db", 5432, FLOW_NEW);
	assert_false(baseline_has_learnt(baseline, &record));
	record_clear(&record);
	record = fake_record(9 * DAY + 1, "web", "db", 5432, FLOW_NEW);
	assert_true(baseline_has_learnt(baseline, &record));
	record_clear(&record);
	baseline_free(baseline);
}

static void test_held(void **state)
{
	struct baseline *baseline = begin(8, 100);
	struct record record = fake_record(1, "web", "mail", 25, FLOW_END);

	(void)state;
	learn(baseline, 0, "web", "db", 5432, FLOW_END);
	learn(baseline, 1, "web", "mail", 25, FLOW_END);
	/* What began with the alert is taken back, what was before stays. */
	baseline_retract(baseline, &record, BEGIN + SECOND);
	assert_int_equal(days(baseline, "web", "mail", 25), 0);
	assert_int_equal(days(baseline, "web", "db", 5432), 1);
	baseline_hold(baseline, &record, "0123456789ab");
	learn(baseline, 2, "web", "mail", 25, FLOW_END);
	assert_int_equal(days(baseline, "web", "mail", 25), 0);
	baseline_release(baseline, "ffffffffffff");
	learn(baseline, 3, "web", "mail", 25, FLOW_END);
	assert_int_equal(days(baseline, "web", "mail", 25), 0);
	baseline_release(baseline, "0123456789ab");
	learn(baseline, 4, "web", "mail", 25, FLOW_END);
	assert_int_equal(days(baseline, "web", "mail", 25), 1);
	record_clear(&record);
	baseline_free(baseline);
}

static void test_the_world(void **state)
{
	struct baseline *baseline = begin(8, 1000);
	char address[32];

	(void)state;
	learn(baseline, 0, "web", "20.1.2.3", 443, FLOW_END);
	/* A network is one peer. */
	assert_int_equal(days(baseline, "web", "20.1.99.3", 443), 1);
	assert_int_equal(days(baseline, "web", "20.2.2.3", 443), 0);
	for (int i = 0; i < 100; i++) {
		snprintf(address, sizeof(address), "30.%d.2.3", i);
		learn(baseline, i, "web", address, 443, FLOW_END);
	}
	/* Who talks to so many is used to the world, for this service alone. */
	assert_true(count(baseline, "edges") < 40);
	assert_int_equal(days(baseline, "web", "99.9.9.9", 443), 1);
	assert_int_equal(days(baseline, "web", "99.9.9.9", 22), 0);
	baseline_free(baseline);
}

/* What an intruder did does not make the world usual. */
static void test_the_world_taken_back(void **state)
{
	struct baseline *baseline = begin(8, 1000);
	struct record record = fake_record(0, "web", "20.1.2.3", 443, FLOW_END);
	char address[32];

	(void)state;
	learn(baseline, 0, "web", "20.1.2.3", 443, FLOW_END);
	for (int i = 0; i < 31; i++) {
		snprintf(address, sizeof(address), "30.%d.2.3", i);
		learn(baseline, 10, "web", address, 443, FLOW_END);
	}
	assert_int_equal(days(baseline, "web", "99.9.9.9", 443), 1);
	baseline_retract(baseline, &record, BEGIN + 10 * SECOND);
	assert_int_equal(days(baseline, "web", "99.9.9.9", 443), 0);
	assert_int_equal(days(baseline, "web", "20.1.2.3", 443), 1);
	assert_int_equal(count(baseline, "edges"), 2);
	/* And so many as before are needed again. */
	for (int i = 0; i < 30; i++) {
		snprintf(address, sizeof(address), "40.%d.2.3", i);
		learn(baseline, 20, "web", address, 443, FLOW_END);
	}
	assert_int_equal(days(baseline, "web", "99.9.9.9", 443), 0);
	learn(baseline, 21, "web", "50.1.2.3", 443, FLOW_END);
	assert_int_equal(days(baseline, "web", "99.9.9.9", 443), 1);
	record_clear(&record);
	baseline_free(baseline);
}

static void test_bounds(void **state)
{
	struct baseline *baseline = begin(4, 10);
	char name[16];

	(void)state;
	for (int i = 0; i < 100; i++) {
		struct record record;

		snprintf(name, sizeof(name), "w%d", i % 9);
		record = fake_record(i, name, "db", (uint16_t)(i + 1), FLOW_END);
		baseline_learn(baseline, &record, false);
		record.event.destination_port = (uint16_t)(1000 + i);
		baseline_hold(baseline, &record, "0123456789ab");
		record_clear(&record);
	}
	assert_true(count(baseline, "roles") <= 4);
	assert_true(count(baseline, "edges") <= 10);
	assert_true(count(baseline, "held") <= 4);
	assert_true(count(baseline, "roles_evicted") > 0);
	assert_true(count(baseline, "held_evicted") > 0);
	/* The latest are there. */
	assert_int_equal(days(baseline, name, "db", 100), 1);
	baseline_free(baseline);
}

static void test_forget(void **state)
{
	struct baseline *baseline = begin(8, 100);
	struct record record = fake_record(1, "web", "mail", 25, FLOW_END);
	struct record other = fake_record(1, "web 2", "mail", 25, FLOW_END);

	(void)state;
	learn(baseline, 0, "web", "db", 5432, FLOW_END);
	learn(baseline, 0, "api", "db", 5432, FLOW_END);
	baseline_hold(baseline, &record, "0123456789ab");
	baseline_hold(baseline, &other, "0123456789ab");
	assert_int_equal(baseline_forget(baseline, "shop/none"), 0);
	assert_int_equal(count(baseline, "held"), 2);
	assert_int_equal(baseline_forget(baseline, "shop/web"), 1);
	/* Nothing is held back of a role that is learnt anew. */
	assert_int_equal(count(baseline, "held"), 1);
	learn(baseline, 1, "web", "mail", 25, FLOW_END);
	assert_int_equal(days(baseline, "web", "mail", 25), 1);
	assert_int_equal(baseline_forget(baseline, "shop/web"), 1);
	assert_int_equal(days(baseline, "web", "db", 5432), 0);
	assert_int_equal(days(baseline, "api", "db", 5432), 1);
	assert_int_equal(baseline_forget(baseline, NULL), 1);
	assert_int_equal(count(baseline, "held"), 0);
	record_clear(&record);
	record_clear(&other);
	baseline_free(baseline);
}

static void test_kept(void **state)
{
	struct baseline *baseline = begin(8, 100), *other = begin(8, 100);
	struct writer writer = WRITER_INIT, again = WRITER_INIT;
	struct record record = fake_record(1, "api", "mail", 25, FLOW_END);
	char *line, *rest;

	(void)state;
	learn(baseline, 0, "web", "db", 5432, FLOW_END);
	learn(baseline, DAY, "web", "db", 5432, FLOW_END);
	learn(baseline, 5, "web", "20.1.2.3", 443, FLOW_END);
	learn(baseline, 6, "api", "db", 5432, FLOW_END);
	learn(baseline, 7, "a \"b\" \\", "d\te", 5432, FLOW_END);
	baseline_hold(baseline, &record, "0123456789ab");
	baseline_write(baseline, &writer);
	writer_bytes(&writer, "", 1);
	for (rest = writer.data; (line = strsep(&rest, "\n")) && *line;)
		assert_int_equal(baseline_read_line(other, line, strlen(line)), 0);
	assert_int_equal(days(other, "web", "db", 5432), 2);
	assert_int_equal(days(other, "a \"b\" \\", "d\te", 5432), 1);
	baseline_write(other, &again);
	writer_bytes(&again, "", 1);
	assert_int_equal(count(other, "held"), 1);
	assert_int_equal(count(other, "edges"), count(baseline, "edges"));
	assert_int_equal(baseline_read_line(other, "{}", 2), -EBADMSG);
	assert_int_equal(baseline_read_line(other, "x", 1), -EBADMSG);
	record_clear(&record);
	writer_clear(&writer);
	writer_clear(&again);
	baseline_free(baseline);
	baseline_free(other);
}

static void role_is(const char *labels, const char *wanted)
{
	char text[ROLE_MAX];
	json_t *json = json_pack("{s:s, s:s, s:o}", "workload", "web-5f7c", "namespace", "shop",
		"labels", json_loads(labels, 0, NULL));
	struct name *name = name_new(NULL, json);

	assert_string_equal(role_of(name, text), wanted);
	name_release(name);
}

static void test_roles(void **state)
{
	(void)state;
	role_is("{\"app\": \"web\", \"pod-template-hash\": \"5f7c\"}", "shop/web");
	role_is("{\"app.kubernetes.io/name\": \"web\", \"app\": \"x\"}", "shop/web");
	role_is("{\"app\": \"web\", \"tier\": \"front\"}", "shop/web:front");
	role_is("{\"com.docker.compose.service\": \"web\"}", "shop/web");
	role_is("{\"tier\": \"front\"}", "shop/web-5f7c");
	role_is("{}", "shop/web-5f7c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_only_answers_teach),
		cmocka_unit_test(test_learning_period),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_the_world),
		cmocka_unit_test(test_the_world_taken_back),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_forget),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_roles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
