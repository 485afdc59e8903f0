// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

static char answer[65536];

static int exchange(void **state, const char *request)
{
	return fixture_exchange(*state, request, answer, sizeof(answer));
}

static void assert_answer(const char *text)
{
	if (!strstr(answer, text))
		fail_msg("expected %s in: %s", text, answer);
}

static void decodes_paths_and_queries(void **state)
{
	assert_int_equal(
		exchange(state, FIXTURE_REQUEST("GET /v1/item/shop%2Fweb?key=a%20b+c%3D")), 200);
	assert_answer("{\"name\":\"shop/web\",\"key\":\"a b c=\"}\n");
	assert_answer("Content-Type: application/json");
	assert_int_equal(exchange(state, FIXTURE_REQUEST("GET /v1/echo?key")), 200);
	assert_answer("{\"name\":null,\"key\":\"\"}");
	assert_int_equal(exchange(state, FIXTURE_REQUEST("GET /v1/item/a+b")), 200);
	assert_answer("\"name\":\"a+b\"");
}

static void refuses_what_is_not_encoded(void **state)
{
	assert_int_equal(exchange(state, FIXTURE_REQUEST("GET /v1/item/%2")), 400);
	assert_answer("{\"error\":{\"message\":");
	assert_int_equal(exchange(state, FIXTURE_REQUEST("GET /v1/item/%zz")), 400);
	assert_int_equal(exchange(state, FIXTURE_REQUEST("GET /v1/item/a%00b")), 400);
	assert_int_equal(exchange(state, FIXTURE_REQUEST("GET /v1/echo?key=%f")), 400);
	/* Not UTF-8: no JSON can quote it, but it is answered. */
	assert_int_equal(exchange(state, FIXTURE_REQUEST("GET /v1/item/%ff")), 500);
	assert_int_equal(exchange(state, FIXTURE_REQUEST("GET /\xff")), 404);
}

static void unknown_paths_and_methods_say_so(void **state)
{
	assert_int_equal(exchange(state, FIXTURE_REQUEST("GET /v2/echo")), 404);
	assert_answer("there is nothing at /v2/echo");
	assert_int_equal(exchange(state, FIXTURE_REQUEST("GET /v1/item/")), 404);
	assert_int_equal(exchange(state, FIXTURE_REQUEST("GET /v1/item/a/b")), 404);
	assert_int_equal(exchange(state, FIXTURE_REQUEST("PUT /v1/item/a")), 405);
	assert_answer("Allow: GET, DELETE\r\n");
	assert_answer("PUT is not possible on /v1/item/a, only GET, DELETE");
}

static void takes_bodies_up_to_the_limit(void **state)
{
	static char request[2 * FIXTURE_BODY_MAX + 1024];
	static const size_t sizes[] = {0, 1, 4096, FIXTURE_BODY_MAX};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		char expected[64];
		int length = snprintf(request, sizeof(request),
			"POST /v1/items HTTP/1.1\r\nHost: segd\r\nConnection: close\r\n"
			"Content-Length: %zu\r\n\r\n",
			sizes[i]);

		memset(request + length, 'x', sizes[i]);
		request[(size_t)length + sizes[i]] = '\0';
		assert_int_equal(exchange(state, request), 200);
		snprintf(expected, sizeof(expected), "{\"size\":%zu,\"length\":%zu}", sizes[i],
			sizes[i]);
		assert_answer(expected);
	}
}

static void larger_bodies_are_refused_before_they_come(void **state)
{
	assert_int_equal(exchange(state, "POST /v1/items HTTP/1.1\r\nHost: segd\r\n"
					 "Content-Length: 100001\r\nConnection: close\r\n\r\n"),
		413);
	assert_answer("the body is larger than 100000 bytes");
}

/* Without a length: read to its end up to twice the limit, then the connection is cut. */
static void endless_bodies_come_to_an_end(void **state)
{
	static const char head[] = "POST /v1/items HTTP/1.1\r\nHost: segd\r\nConnection: close\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n";
	struct fixture *fixture = *state;
	char chunk[1024 + 16];
	unsigned int sent = 0;

	memcpy(chunk, "400\r\n", 5);
	memset(chunk + 5, 'x', 1024);
	memcpy(chunk + 1029, "\r\n", 3);
	for (unsigned int chunks = 120; chunks <= 1000; chunks += 880) {
		_cleanup_close_ int fd = fixture_connect(fixture);

		assert_true(fixture_send(fixture, fd, head, strlen(head)));
		for (sent = 0; sent < chunks; sent++)
			if (!fixture_send(fixture, fd, chunk, 1031))
				break;
		if (chunks == 120)
			assert_true(fixture_send(fixture, fd, "0\r\n\r\n", 5));
		fixture_read_until(fixture, fd, answer, sizeof(answer), NULL);
		if (chunks == 120)
			assert_answer("413");
	}
	assert_true(sent < 400);
}

static void one_connection_serves_many_requests(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_close_ int fd = fixture_connect(fixture);
	static const char request[] = "GET /v1/echo?key=1 HTTP/1.1\r\nHost: segd\r\n\r\n";

	for (int i = 0; i < 20; i++) {
		assert_true(fixture_send(fixture, fd, request, strlen(request)));
		fixture_read_until(fixture, fd, answer, sizeof(answer), "\"key\":\"1\"}\n");
		assert_answer("HTTP/1.1 200 OK");
	}
}

static void a_handler_may_answer_later(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_close_ int fd = fixture_connect(fixture);
	static const char request[] = FIXTURE_REQUEST("GET /v1/later");

	assert_true(fixture_send(fixture, fd, request, strlen(request)));
	for (int i = 0; i < FIXTURE_ROUNDS && !fixture->waiting; i++)
		fixture_run(fixture);
	assert_non_null(fixture->waiting);
	/* Others are served meanwhile. */
	assert_int_equal(exchange(state, FIXTURE_REQUEST("GET /metrics")), 200);
	assert_answer("\r\n\r\nhello\n");
	control_reply_error(fixture->waiting, 409, "not %s", "now");
	fixture_read_until(fixture, fd, answer, sizeof(answer), NULL);
	assert_answer("HTTP/1.1 409");
	assert_answer("{\"error\":{\"message\":\"not now\"}}\n");
}

/* The server goes away while a request waits: teardown must not hang or crash. */
static void a_server_may_stop_under_a_request(void **state)
{
	struct fixture *fixture = *state;
	int fd = fixture_connect(fixture);
	static const char request[] = FIXTURE_REQUEST("GET /v1/later");

	assert_true(fixture_send(fixture, fd, request, strlen(request)));
	for (int i = 0; i < FIXTURE_ROUNDS && !fixture->waiting; i++)
		fixture_run(fixture);
	assert_non_null(fixture->waiting);
	control_server_free(fixture->server);
	fixture->server = NULL;
	assert_int_equal(recv(fd, answer, sizeof(answer), 0), 0);
	close(fd);
}

static void no_body_is_an_internal_error(void **state)
{
	assert_int_equal(exchange(state, FIXTURE_REQUEST("GET /v1/nothing")), 500);
	assert_answer("out of memory");
}

/* Random bytes, and requests with random bytes in them; afterwards the server still serves. */
static void survives_nonsense(void **state)
{
	struct fixture *fixture = *state;
	static const char request[] = FIXTURE_REQUEST("POST /v1/item/x?key=1&a=%20");
	unsigned int seed = 4711;
	char bytes[512];

	for (int i = 0; i < 300; i++) {
		_cleanup_close_ int fd = fixture_connect(fixture);
		size_t length = sizeof(request) - 1;

		if (i % 3) {
			memcpy(bytes, request, length);
			for (int j = 0; j < 1 + i % 5; j++)
				bytes[(size_t)rand_r(&seed) % length] = (char)rand_r(&seed);
		} else {
			length = 1 + (size_t)rand_r(&seed) % sizeof(bytes);
			for (size_t j = 0; j < length; j++)
				bytes[j] = (char)rand_r(&seed);
		}
		fixture_send(fixture, fd, bytes, length);
		fixture_run(fixture);
	}
	assert_int_equal(exchange(state, FIXTURE_REQUEST("GET /v1/echo?key=1")), 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			decodes_paths_and_queries, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			refuses_what_is_not_encoded, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			unknown_paths_and_methods_say_so, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			takes_bodies_up_to_the_limit, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(larger_bodies_are_refused_before_they_come,
			fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			endless_bodies_come_to_an_end, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			one_connection_serves_many_requests, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			a_handler_may_answer_later, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			a_server_may_stop_under_a_request, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			no_body_is_an_internal_error, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(survives_nonsense, fixture_setup, fixture_teardown),
	};

	if (fixture_need_root() < 0)
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
