// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "base/cleanup.h"

struct agent {
	void *directory;
	sd_event *event;
	struct flow_pipeline *pipeline;
	const char *web; /* who has 10.77.0.11 */
	char line[2048]; /* the last that a subscriber got */
	unsigned int lines;
};

static json_t *resolve_endpoint(const struct address *address, void *userdata)
{
	struct agent *agent = userdata;

	if (address->bytes[15] == 11)
		return json_pack("{s:s, s:s, s:{s:s}}", "workload", agent->web, "namespace", "shop",
			"labels", "app", "web");
	return json_pack("{s:s}", "entity", "world");
}

static json_t *resolve_rule(uint32_t id, void *userdata)
{
	(void)userdata;
	return json_pack(
		"{s:s, s:s, s:i}", "namespace", "shop", "name", "policy", "index", (int)id);
}

static const char *resolve_interface(uint32_t ifindex, void *userdata)
{
	(void)ifindex;
	(void)userdata;
	return "veth1";
}

static int setup(void **state)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	struct flow_resolver resolver = {.endpoint = resolve_endpoint,
		.rule = resolve_rule,
		.interface = resolve_interface,
		.userdata = agent};
	struct flow_options options = {.node = "node-1", .history_records = 100};

	*state = agent;
	agent->web = "web";
	if (fixture_directory_setup(&agent->directory) || sd_event_new(&agent->event) < 0)
		return -1;
	options.log_directory = agent->directory;
	return flow_pipeline_new(&options, &resolver, agent->event, &agent->pipeline, NULL);
}

static int teardown(void **state)
{
	struct agent *agent = *state;

	flow_pipeline_free(agent->pipeline);
	sd_event_unref(agent->event);
	fixture_directory_teardown(&agent->directory);
	free(agent);
	return 0;
}

static void on_record(const char *line, size_t length, void *userdata)
{
	struct agent *agent = userdata;

	assert_true(length < sizeof(agent->line));
	memcpy(agent->line, line, length);
	agent->line[length] = '\0';
	agent->lines++;
}

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* One event; log, history, stream, map and refusals all show the same record. */
static void one_event_reaches_every_place(void **state)
{
	struct agent *agent = *state;
	struct flow_event event = fixture_denied(1);
	struct flow_subscription *subscription;
	json_t *history, *denied, *map, *record;
	char *log, *line;

	assert_int_equal(flow_subscribe(agent->pipeline, NULL, on_record, agent, &subscription), 0);
	flow_pipeline_event(agent->pipeline, &event);
	assert_int_equal(flow_pipeline_flush(agent->pipeline, NULL), 0);
	assert_int_equal(agent->lines, 1);
	log = fixture_read(agent->directory, "flows.log", NULL);
	assert_string_equal(log, agent->line);

	history = flow_history(agent->pipeline, NULL);
	record = json_array_get(json_object_get(history, "flows"), 0);
	line = json_dumps(record, JSON_COMPACT);
	assert_memory_equal(line, log, strlen(line));
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(record, "rule"), "name")),
		"policy");
	assert_int_equal(flow_denied(agent->pipeline, NULL, &denied, NULL), 0);
	assert_int_equal(json_array_size(json_object_get(denied, "denied")), 1);
	assert_int_equal(flow_map(agent->pipeline, NULL, &map, NULL), 0);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(map, "edges"), 0), "from")),
		"shop/web");
	flow_subscription_free(subscription);
	json_decref(history);
	json_decref(denied);
	json_decref(map);
	free(line);
	free(log);
}

static struct name *name_world(const struct name *workload, const struct address *address,
	struct name *end, uint64_t start_ns, void *userdata)
{
	(void)userdata;
	assert_string_equal(name_workload(workload), "web");
	assert_int_equal(address->bytes[15], 13);
	assert_true(start_ns == FIXTURE_TIME_NS);
	return name_new(
		end->pool, json_pack("{s:s, s:[s]}", "entity", "world", "names", "db.example"));
}

static void observe(const struct flow_event *event, struct name_pool *pool,
	struct flow_observation *ret, void *userdata)
{
	(void)userdata;
	assert_int_not_equal(event->type, FLOW_DENIED);
	ret->application = name_new(pool, json_pack("{s:s}", "application", "ssh"));
}

static void records_have_names_and_what_packets_said(void **state)
{
	struct agent *agent = *state;
	const struct flow_resolver resolver = {.endpoint = resolve_endpoint,
		.rule = resolve_rule,
		.interface = resolve_interface,
		.named = name_world,
		.observed = observe,
		.userdata = agent};
	const struct flow_options options = {.node = "node-1"};
	struct flow_event event = fixture_event(1), denied = fixture_denied(2);
	struct flow_subscription *subscription;

	flow_pipeline_free(agent->pipeline);
	assert_int_equal(
		flow_pipeline_new(&options, &resolver, agent->event, &agent->pipeline, NULL), 0);
	assert_int_equal(flow_subscribe(agent->pipeline, NULL, on_record, agent, &subscription), 0);
	flow_pipeline_event(agent->pipeline, &event);
	assert_non_null(strstr(agent->line, "\"entity\":\"world\",\"names\":[\"db.example\"]}"));
	assert_non_null(strstr(agent->line, "\"application\":\"ssh\"}\n"));
	flow_pipeline_event(agent->pipeline, &denied);
	assert_non_null(strstr(agent->line, "\"names\":[\"db.example\"]}"));
	assert_null(strstr(agent->line, "application"));
	flow_subscription_free(subscription);
}

static void records_keep_the_names_of_their_time(void **state)
{
	struct agent *agent = *state;
	struct flow_event event = fixture_event(1);
	struct flow_filter *filter = NULL;
	json_t *old, *new;

	flow_pipeline_event(agent->pipeline, &event);
	agent->web = "other";
	flow_pipeline_names_changed(agent->pipeline);
	event.id = 2;
	flow_pipeline_event(agent->pipeline, &event);
	assert_int_equal(flow_filter_set(&filter, "from", "shop/web", NULL), 0);
	old = flow_history(agent->pipeline, filter);
	assert_int_equal(json_array_size(json_object_get(old, "flows")), 1);
	flow_filter_free(filter);
	filter = NULL;
	assert_int_equal(flow_filter_set(&filter, "from", "other", NULL), 0);
	new = flow_history(agent->pipeline, filter);
	assert_int_equal(json_array_size(json_object_get(new, "flows")), 1);
	flow_filter_free(filter);
	json_decref(old);
	json_decref(new);
}

static void gaps_are_told_everywhere(void **state)
{
	struct agent *agent = *state;
	struct flow_event gap = {.type = FLOW_GAP, .time_ns = FIXTURE_TIME_NS, .lost = 17};
	struct flow_subscription *subscription;
	struct flow_filter *filter = NULL;
	json_t *history, *description;

	assert_int_equal(flow_filter_set(&filter, "port", "22", NULL), 0);
	assert_int_equal(
		flow_subscribe(agent->pipeline, filter, on_record, agent, &subscription), 0);
	flow_pipeline_event(agent->pipeline, &gap);
	assert_string_equal(agent->line, "{\"schema\":1,\"time\":\"2026-11-21T08:00:00.000000Z\","
					 "\"node\":\"node-1\",\"event\":\"gap\",\"lost\":17}\n");
	history = flow_history(agent->pipeline, NULL);
	assert_int_equal(number(history, "gaps"), 17);
	assert_int_equal(json_array_size(json_object_get(history, "flows")), 0);
	description = flow_describe(agent->pipeline);
	assert_int_equal(number(description, "lost"), 17);
	assert_int_equal(number(description, "records"), 1);
	json_decref(history);
	json_decref(description);
	flow_subscription_free(subscription);
}

static void a_limit_gives_the_newest_in_order(void **state)
{
	struct agent *agent = *state;
	struct flow_filter *filter = NULL;
	json_t *history, *flows;

	for (uint64_t id = 1; id <= 150; id++) {
		struct flow_event event = fixture_event(id);

		event.source_port = (uint16_t)id;
		flow_pipeline_event(agent->pipeline, &event);
	}
	history = flow_history(agent->pipeline, NULL);
	assert_int_equal(json_array_size(json_object_get(history, "flows")), 100);
	json_decref(history);
	assert_int_equal(flow_filter_set(&filter, "limit", "3", NULL), 0);
	history = flow_history(agent->pipeline, filter);
	flows = json_object_get(history, "flows");
	assert_int_equal(json_array_size(flows), 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(
			number(json_object_get(json_array_get(flows, i), "source"), "port"),
			148 + i);
	json_decref(history);
	flow_filter_free(filter);
}

static void events_that_make_no_sense_are_counted(void **state)
{
	struct agent *agent = *state;
	struct flow_event event = fixture_event(1);
	json_t *description;

	event.reason = REASON_COUNT;
	flow_pipeline_event(agent->pipeline, &event);
	event = fixture_event(1);
	event.type = (enum flow_event_type)99;
	flow_pipeline_event(agent->pipeline, &event);
	description = flow_describe(agent->pipeline);
	assert_int_equal(number(description, "invalid"), 2);
	assert_int_equal(number(description, "events"), 2);
	assert_int_equal(number(description, "records"), 0);
	json_decref(description);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_event_reaches_every_place, setup, teardown),
		cmocka_unit_test_setup_teardown(
			records_have_names_and_what_packets_said, setup, teardown),
		cmocka_unit_test_setup_teardown(
			records_keep_the_names_of_their_time, setup, teardown),
		cmocka_unit_test_setup_teardown(gaps_are_told_everywhere, setup, teardown),
		cmocka_unit_test_setup_teardown(a_limit_gives_the_newest_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(
			events_that_make_no_sense_are_counted, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
