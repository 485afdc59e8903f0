// SPDX-License-Identifier: GPL-2.0-or-later
/* What is found out of the record that was announced is kept, and of no other one. */
#include "stage.h"

#include "detect/party.h"

struct asked {
	struct detect_context context;
	struct newness newness;
	unsigned int questions;
	unsigned int days;
};

static bool has_learnt(const struct record *record, void *userdata)
{
	struct asked *asked = userdata;

	(void)record;
	asked->questions++;
	return true;
}

static unsigned int edge_days(const struct record *record, void *userdata)
{
	const struct asked *asked = userdata;

	(void)record;
	return asked->days;
}

static int set_up(void **state)
{
	struct asked *asked = calloc(1, sizeof(*asked));

	asked->context = (struct detect_context){
		.edge_days = edge_days, .has_learnt = has_learnt, .userdata = asked};
	assert_int_equal(newness_open(&asked->newness, &asked->context), 0);
	*state = asked;
	return 0;
}

static int tear_down(void **state)
{
	struct asked *asked = *state;

	newness_close(&asked->newness);
	free(asked);
	return 0;
}

static struct record record_to(uint16_t port)
{
	return (struct record){
		.event = {.protocol = IPPROTO_TCP, .destination_port = port, .time_ns = BEGIN}};
}

static void test_asks_once_of_what_was_announced(void **state)
{
	struct asked *asked = *state;
	struct newness *newness = &asked->newness;
	const struct record record = record_to(80);

	asked->days = 3;
	newness_look(newness, &record);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(newness_of(newness, &record), NOVELTY_USUAL);
	assert_int_equal(asked->questions, 1);
	/* What the baseline has forgotten meanwhile is new. */
	asked->days = 0;
	assert_int_equal(newness_of(newness, &record), NOVELTY_USUAL);
	newness_look(newness, &record);
	assert_int_equal(newness_of(newness, &record), NOVELTY_NEW);
	assert_int_equal(asked->questions, 2);
}

static void test_tells_records_apart(void **state)
{
	struct asked *asked = *state;
	struct newness *newness = &asked->newness;
	const struct record record = record_to(80), other = record_to(81);

	newness_look(newness, &record);
	assert_int_equal(newness_of(newness, &record), NOVELTY_NEW);
	asked->days = 3;
	assert_int_equal(newness_of(newness, &other), NOVELTY_USUAL);
	assert_int_equal(newness_of(newness, &record), NOVELTY_NEW);
	assert_int_equal(newness_edge(newness, &record), party_edge(&record));
	assert_int_equal(newness_edge(newness, &other), party_edge(&other));
}

static void test_keeps_nothing_unannounced(void **state)
{
	struct asked *asked = *state;
	struct newness *newness = &asked->newness;
	const struct record record = record_to(80);

	newness_look(newness, &record);
	newness_of(newness, &record);
	newness_look(newness, NULL);
	newness_of(newness, &record);
	newness_of(newness, &record);
	assert_int_equal(asked->questions, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_asks_once_of_what_was_announced),
		TEST(test_tells_records_apart),
		TEST(test_keeps_nothing_unannounced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
