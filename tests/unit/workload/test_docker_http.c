/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client against a server that misbehaves in every way a path can ask for. */
#include "tests/unit/workload/fake_server.h"
#include "tests/unit/workload/support.h"

#include "workload/docker_http.h"

#define MEBIBYTE (1 << 20)

/* --- the server ----------------------------------------------------------------------------------
 */

static void send_filler(int fd, size_t mebibytes)
{
	static char filler[MEBIBYTE + 1];

	memset(filler, 'x', MEBIBYTE);
	for (size_t i = 0; i < mebibytes; i++)
		send_text(fd, filler);
}

static void serve_path(int fd, const char *path)
{
	if (strcmp(path, "/hello") == 0) {
		send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
	} else if (strcmp(path, "/busy") == 0) {
		send_text(fd, "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nwait");
	} else if (strcmp(path, "/redirect") == 0) {
		send_text(fd, "HTTP/1.1 302 Found\r\nLocation: http://docker/hello\r\n"
			      "Content-Length: 0\r\n\r\n");
	} else if (strcmp(path, "/cut") == 0) {
		send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello");
	} else if (strcmp(path, "/garbage") == 0) {
		send_text(fd, "SSH-2.0-OpenSSH_9.2p1\r\n");
	} else if (strcmp(path, "/huge") == 0) {
		send_text(fd, "HTTP/1.1 200 OK\r\n\r\n");
		send_filler(fd, DOCKER_HTTP_ANSWER_MAX_BYTES / MEBIBYTE + 1);
	} else if (strcmp(path, "/large") == 0) {
		send_text(fd, "HTTP/1.1 200 OK\r\n\r\n");
		send_filler(fd, 8);
	} else if (strcmp(path, "/endless-line") == 0) {
		send_text(fd, "HTTP/1.1 200 OK\r\n\r\nfirst\n");
		send_filler(fd, DOCKER_HTTP_LINE_MAX_BYTES / MEBIBYTE + 1);
	} else if (strcmp(path, "/lines") == 0) {
		send_text(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			      "6\r\none\ntw\r\n");
		usleep(20000);
		send_text(fd, "9\r\no\n\nthree\n\r\n4\r\nrest\r\n0\r\n\r\n");
	} else if (strcmp(path, "/silence") == 0) {
		pause();
	}
}

static int start_server(void **state)
{
	(void)state;
	return fake_server_start(serve_path);
}

static int stop_server(void **state)
{
	(void)state;
	return fake_server_stop();
}

/* --- the client ----------------------------------------------------------------------------------
 */

struct fixture {
	sd_event *event;
	struct docker_http *http;
	struct docker_request *request;
	struct docker_request *other;
	char lines[256];
	unsigned int done;
	long status;
	char problem[128];
	char body[64];
	size_t size;
	bool cancel_on_line;
};

static struct fixture fixture;

static int set_up(void **state)
{
	(void)state;
	fixture = (struct fixture){0};
	return sd_event_new(&fixture.event) < 0 ||
	       docker_http_new(fake_server_path, fixture.event, &fixture.http, NULL) < 0;
}

static int tear_down(void **state)
{
	(void)state;
	docker_http_free(fixture.http);
	sd_event_unref(fixture.event);
	return 0;
}

static void on_line(const char *line, size_t size, void *userdata)
{
	struct fixture *f = userdata;

	assert_int_equal(strlen(line), size);
	strncat(f->lines, line, sizeof(f->lines) - strlen(f->lines) - 1);
	strncat(f->lines, "|", sizeof(f->lines) - strlen(f->lines) - 1);
	if (f->cancel_on_line) {
		docker_request_cancel(f->request);
		docker_request_cancel(f->other);
	}
}

static void on_done(const struct docker_answer *answer, void *userdata)
{
	struct fixture *f = userdata;

	f->done++;
	f->status = answer->status;
	f->size = answer->size;
	snprintf(f->body, sizeof(f->body), "%s", answer->body);
	snprintf(f->problem, sizeof(f->problem), "%s", answer->problem ? answer->problem : "");
}

static const struct docker_request_callbacks callbacks = {
	.line = on_line,
	.done = on_done,
	.userdata = &fixture,
};

static bool is_done(const void *count)
{
	return fixture.done == *(const unsigned int *)count;
}

static void await_done(unsigned int count)
{
	assert_true(run_until(fixture.event, is_done, &count, 20000));
}

static void get(const char *path, long timeout_ms)
{
	fixture.done = 0;
	assert_int_equal(
		docker_http_get(fixture.http, path, timeout_ms, &callbacks, &fixture.request), 0);
	assert_int_equal(fixture.done, 0);
	await_done(1);
}

static void test_answers(void **state)
{
	(void)state;
	get("/hello", 5000);
	assert_int_equal(fixture.status, 200);
	assert_string_equal(fixture.body, "hello");
	get("/busy", 5000);
	assert_int_equal(fixture.status, 503);
	assert_string_equal(fixture.body, "wait");
	get("/redirect", 5000);
	assert_int_equal(fixture.status, 302);
	get("/large", 20000);
	assert_int_equal(fixture.status, 200);
	assert_int_equal(fixture.size, 8 * MEBIBYTE);
}

static void test_no_answers(void **state)
{
	(void)state;
	get("/cut", 5000);
	assert_int_equal(fixture.status, 0);
	assert_string_equal(fixture.problem, "the connection was closed");
	get("/garbage", 5000);
	assert_int_equal(fixture.status, 0);
	get("/close", 5000);
	assert_int_equal(fixture.status, 0);
	assert_string_equal(fixture.problem, "the connection was closed");
	get("/silence", 100);
	assert_int_equal(fixture.status, 0);
	assert_non_null(strstr(fixture.problem, "Timeout"));
	get("/huge", 20000);
	assert_int_equal(fixture.status, 0);
	assert_string_equal(fixture.problem, "the answer is too long");
	/* And still works. */
	get("/hello", 5000);
	assert_int_equal(fixture.status, 200);
}

static void test_nobody_listens(void **state)
{
	struct docker_http *http;

	(void)state;
	assert_int_equal(docker_http_new("/tmp/workload-nobody", fixture.event, &http, NULL), 0);
	assert_int_equal(docker_http_get(http, "/hello", 1000, &callbacks, &fixture.request), 0);
	await_done(1);
	assert_int_equal(fixture.status, 0);
	assert_string_equal(fixture.problem, "No such file or directory");
	docker_http_free(http);
}

static void test_proxies_are_not_asked(void **state)
{
	(void)state;
	assert_int_equal(setenv("http_proxy", "http://127.0.0.1:9", 1), 0);
	get("/hello", 5000);
	assert_int_equal(fixture.status, 200);
	assert_int_equal(unsetenv("http_proxy"), 0);
}

static void test_stream(void **state)
{
	(void)state;
	assert_int_equal(
		docker_http_stream(fixture.http, "/lines", &callbacks, &fixture.request), 0);
	await_done(1);
	assert_string_equal(fixture.lines, "one|two||three|");
	assert_string_equal(fixture.body, "rest");
	assert_int_equal(fixture.status, 200);
}

static void test_stream_of_one_endless_line(void **state)
{
	(void)state;
	assert_int_equal(
		docker_http_stream(fixture.http, "/endless-line", &callbacks, &fixture.request), 0);
	await_done(1);
	assert_string_equal(fixture.lines, "first|");
	assert_int_equal(fixture.status, 0);
	assert_string_equal(fixture.problem, "the answer is too long");
}

static void test_stream_that_is_refused(void **state)
{
	(void)state;
	assert_int_equal(
		docker_http_stream(fixture.http, "/busy", &callbacks, &fixture.request), 0);
	await_done(1);
	assert_string_equal(fixture.lines, "");
	assert_int_equal(fixture.status, 503);
}

/* From inside a callback: itself, and one that is not done. */
static void test_cancel_inside(void **state)
{
	(void)state;
	fixture.cancel_on_line = true;
	assert_int_equal(
		docker_http_get(fixture.http, "/silence", 5000, &callbacks, &fixture.other), 0);
	assert_int_equal(
		docker_http_stream(fixture.http, "/lines", &callbacks, &fixture.request), 0);
	run_for(fixture.event, 200);
	assert_string_equal(fixture.lines, "one|");
	assert_int_equal(fixture.done, 0);
}

static void test_cancel_outside(void **state)
{
	(void)state;
	assert_int_equal(
		docker_http_get(fixture.http, "/silence", 5000, &callbacks, &fixture.request), 0);
	docker_request_cancel(fixture.request);
	assert_int_equal(
		docker_http_get(fixture.http, "/silence", 5000, &callbacks, &fixture.request), 0);
	run_for(fixture.event, 50);
	docker_request_cancel(fixture.request);
	docker_request_cancel(NULL);
	get("/hello", 5000);
	assert_int_equal(fixture.status, 200);
	/* What is under way when the client goes. */
	assert_int_equal(
		docker_http_get(fixture.http, "/silence", 5000, &callbacks, &fixture.request), 0);
	run_for(fixture.event, 20);
	assert_int_equal(fixture.done, 1);
}

/* More than there are connections. */
static void test_many(void **state)
{
	struct docker_request *request;

	(void)state;
	for (int i = 0; i < 200; i++)
		assert_int_equal(
			docker_http_get(fixture.http, "/hello", 20000, &callbacks, &request), 0);
	await_done(200);
	assert_int_equal(fixture.status, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_answers),
		TEST(test_no_answers),
		TEST(test_nobody_listens),
		TEST(test_proxies_are_not_asked),
		TEST(test_stream),
		TEST(test_stream_of_one_endless_line),
		TEST(test_stream_that_is_refused),
		TEST(test_cancel_inside),
		TEST(test_cancel_outside),
		TEST(test_many),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
