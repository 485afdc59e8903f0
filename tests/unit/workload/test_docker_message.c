/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events and lists, recorded from Docker 20.10. */
#include "tests/unit/workload/support.h"

#include "workload/docker_parse.h"

#define DATA "tests/unit/workload/data/"
#define ID   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_recorded_events(void **state)
{
	_cleanup_file_ FILE *stream = fopen(DATA "events.jsonl", "re");
	char line[4096], kinds[64] = "";

	(void)state;
	assert_non_null(stream);
	while (fgets(line, sizeof(line), stream)) {
		json_t *document = json_loads(line, 0, NULL);
		struct docker_event event;

		assert_non_null(document);
		assert_int_equal(docker_parse_event(document, &event, NULL), 0);
		assert_int_equal(docker_id_is_valid(event.id),
			event.kind == DOCKER_EVENT_CONTAINER_CHANGED ||
				event.kind == DOCKER_EVENT_CONTAINER_GONE);
		kinds[strlen(kinds)] = "-cgn"[event.kind];
		json_decref(document);
	}
	/* create, connect, start of four; restart: kill, die, (dis)connect, stop, start; rm. */
	assert_string_equal(kinds, "nn-ccc-cc-c--cc--gcc-ccccccnc--gcg");
}

static int parse_event(const char *text, struct docker_event *ret)
{
	json_t *document = json_loads(text, JSON_DECODE_ANY, NULL);
	int r;

	assert_non_null(document);
	r = docker_parse_event(document, ret, NULL);
	json_decref(document);
	return r;
}

static void test_odd_events(void **state)
{
	struct docker_event event = {.kind = DOCKER_EVENT_OTHER};

	(void)state;
	assert_int_equal(parse_event("{}", &event), 0);
	assert_int_equal(event.kind, DOCKER_EVENT_OTHER);
	assert_int_equal(parse_event("[]", &event), -EBADMSG);
	assert_int_equal(parse_event("7", &event), -EBADMSG);
	assert_int_equal(parse_event("{\"Type\":\"image\",\"Action\":\"pull\"}", &event), 0);
	assert_int_equal(event.kind, DOCKER_EVENT_OTHER);
	/* An id becomes part of a request's path. */
	assert_int_equal(parse_event("{\"Type\":\"container\",\"Action\":\"start\","
				     "\"Actor\":{\"ID\":\"../../v1.41/info?\"}}",
				 &event),
		-EBADMSG);
	assert_int_equal(
		parse_event("{\"Type\":\"container\",\"Action\":\"start\",\"Actor\":{\"ID\":\"" ID
			    "\"}}",
			&event),
		0);
	assert_string_equal(event.id, ID);
	assert_int_equal(event.kind, DOCKER_EVENT_CONTAINER_CHANGED);
}

static void test_lists(void **state)
{
	struct docker_names names = {NULL, 0};
	json_t *document = json_load_file(DATA "containers.json", 0, NULL);

	(void)state;
	assert_int_equal(docker_parse_containers(document, &names, NULL), 0);
	json_decref(document);
	assert_int_equal(names.count, 4);
	for (size_t i = 0; i < names.count; i++)
		assert_true(docker_id_is_valid(names.items[i]));
	docker_names_clear(&names);

	document = json_load_file(DATA "networks.json", 0, NULL);
	assert_int_equal(docker_parse_bridges(document, &names, NULL), 0);
	json_decref(document);
	assert_int_equal(names.count, 2);
	for (size_t i = 0; i < names.count; i++)
		assert_true(
			strcmp(names.items[i], "backbone") == 0 ||
			(strncmp(names.items[i], "br-", 3) == 0 && strlen(names.items[i]) == 15));
	docker_names_clear(&names);
}

static void assert_bridge(const char *text, const char *bridge)
{
	json_t *document = json_loads(text, 0, NULL);
	struct docker_names names = {NULL, 0};

	assert_int_equal(docker_parse_bridges(document, &names, NULL), 0);
	assert_int_equal(names.count, bridge != NULL);
	if (bridge)
		assert_string_equal(names.items[0], bridge);
	docker_names_clear(&names);
	json_decref(document);
}

static void test_bridge_names(void **state)
{
	(void)state;
	assert_bridge("[{\"Driver\":\"bridge\",\"Name\":\"bridge\",\"Id\":\"" ID
		      "\",\"Options\":{\"com.docker.network.bridge.name\":\"docker0\"}}]",
		"docker0");
	assert_bridge(
		"[{\"Driver\":\"bridge\",\"Id\":\"" ID "\",\"Options\":null}]", "br-0123456789ab");
	assert_bridge("[{\"Driver\":\"macvlan\",\"Id\":\"" ID "\"}]", NULL);
	assert_bridge("[{\"Driver\":\"bridge\",\"Id\":\"short\"}]", NULL);
	assert_bridge("[{\"Driver\":\"bridge\",\"Id\":\"" ID
		      "\",\"Options\":{\"com.docker.network.bridge.name\":\"longer-than-15b\"}}]",
		"longer-than-15b");
	assert_bridge("[{\"Driver\":\"bridge\",\"Id\":\"" ID
		      "\",\"Options\":{\"com.docker.network.bridge.name\":\"longer-than-15by\"}}]",
		NULL);
	assert_bridge("[null, 7]", NULL);
}

static void test_no_lists(void **state)
{
	json_t *document = json_loads("{\"message\": \"no\"}", 0, NULL);
	struct docker_names names = {NULL, 0};

	(void)state;
	assert_int_equal(docker_parse_containers(document, &names, NULL), -EBADMSG);
	assert_int_equal(docker_parse_bridges(document, &names, NULL), -EBADMSG);
	json_decref(document);
	document = json_loads("[{\"Id\":\"" ID "\"}, {\"Id\":\"x\"}]", 0, NULL);
	assert_int_equal(docker_parse_containers(document, &names, NULL), -EBADMSG);
	assert_int_equal(names.count, 0);
	json_decref(document);
}

/* What may stand in any label, or in a limit that is none. */
static void test_json_that_is_odd(void **state)
{
	static const char text[] =
		"{\"a\\u0000b\": \"c\\u0000\\\\u0000\", \"Rate\": 18446744073709551615}";
	json_error_t problem;
	json_t *document = docker_json(text, strlen(text), &problem);

	(void)state;
	assert_non_null(document);
	assert_string_equal(docker_string(document, "a\ufffdb"), "c\ufffd\\u0000");
	assert_true(json_number_value(json_object_get(document, "Rate")) > 1e19);
	json_decref(document);
	assert_null(docker_json("{\"\\u0000", 7, &problem));
	assert_null(docker_json("", 0, &problem));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded_events),
		cmocka_unit_test(test_json_that_is_odd),
		cmocka_unit_test(test_odd_events),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_bridge_names),
		cmocka_unit_test(test_no_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
