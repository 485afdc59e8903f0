// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#define LINE_BYTES 100

static char answer[1 << 16];

static int open_stream(struct fixture *fixture)
{
	static const char request[] = "GET /v1/stream HTTP/1.1\r\nHost: segd\r\n\r\n";
	int fd = fixture_connect(fixture);

	assert_true(fixture_send(fixture, fd, request, strlen(request)));
	fixture_read_until(fixture, fd, answer, sizeof(answer), "\r\n\r\n");
	assert_non_null(strstr(answer, "HTTP/1.1 200 OK"));
	assert_non_null(strstr(answer, "application/x-ndjson"));
	assert_non_null(fixture->stream);
	return fd;
}

static void write_line(struct control_stream *stream, unsigned int number)
{
	char line[LINE_BYTES + 1];
	int length = snprintf(line, sizeof(line), "{\"n\":%u,\"pad\":\"", number);

	memset(line + length, '.', (size_t)(LINE_BYTES - 3 - length));
	memcpy(line + LINE_BYTES - 3, "\"}\n", 4);
	control_stream_write(stream, line, LINE_BYTES);
}

static void lines_come_as_they_are_written(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_close_ int fd = open_stream(fixture);

	for (int i = 0; i < 10; i++) {
		control_stream_write(fixture->stream, "{\"a\":1}\n", 8);
		fixture_read_until(fixture, fd, answer, sizeof(answer), "{\"a\":1}\n");
	}
}

static void a_silent_stream_notices_that_its_reader_left(void **state)
{
	struct fixture *fixture = *state;
	int fd = open_stream(fixture);

	for (int i = 0; i < 5; i++)
		fixture_run(fixture);
	assert_non_null(fixture->stream);
	close(fd);
	for (int i = 0; i < FIXTURE_ROUNDS && fixture->stream; i++)
		fixture_run(fixture);
	assert_int_equal(fixture->streams_closed, 1);
}

static json_int_t described(const struct fixture *fixture, const char *key)
{
	json_t *description = control_server_describe(fixture->server);
	json_int_t number = json_integer_value(json_object_get(description, key));

	json_decref(description);
	return number;
}

/* What has come in of a chunked stream, without the lines that only give the chunks' lengths. */
struct reader {
	int fd;
	size_t length;
	char line[512];
	unsigned int next;
	unsigned int gaps;
};

static void take_line(struct reader *reader)
{
	json_t *json, *lost;

	reader->line[reader->length] = '\0';
	reader->length = 0;
	json = json_loads(reader->line, 0, NULL);
	if (!json)
		fail_msg("not a line of JSON: %s", reader->line);
	lost = json_object_get(json, "lost");
	if (lost) {
		assert_string_equal(json_string_value(json_object_get(json, "event")), "gap");
		reader->next += (unsigned int)json_integer_value(lost);
		reader->gaps++;
	} else {
		assert_int_equal(json_integer_value(json_object_get(json, "n")), reader->next++);
	}
	json_decref(json);
}

/* Undoes the chunked encoding, which may cut a line anywhere: 0 bytes left of a chunk means that a
 * length comes. */
static bool read_lines(struct reader *reader, size_t *chunk_left)
{
	static char head[32];
	static size_t head_length;
	ssize_t got = recv(reader->fd, answer, sizeof(answer), MSG_DONTWAIT);

	for (ssize_t i = 0; i < got; i++) {
		char byte = answer[i];

		if (*chunk_left) {
			--*chunk_left;
			reader->line[reader->length++] = byte;
			assert_true(reader->length < sizeof(reader->line));
			if (byte == '\n')
				take_line(reader);
		} else if (byte == '\n' && head_length) {
			head[head_length] = '\0';
			*chunk_left = strtoul(head, NULL, 16);
			head_length = 0;
		} else if (byte != '\r' && byte != '\n') {
			head[head_length++] = byte;
			assert_true(head_length < sizeof(head));
		}
	}
	return got > 0;
}

/* A reader that sleeps while 10 MB are written loses lines, is told how many, and goes on where the
 * stream is then. Others are served all the time. */
static void a_stuck_reader_costs_a_bounded_queue_and_gets_a_gap(void **state)
{
	struct fixture *fixture = *state;
	struct reader reader = {.fd = open_stream(fixture)};
	unsigned int total = 100000;
	size_t chunk_left = 0;

	for (unsigned int i = 0; i < total; i++) {
		write_line(fixture->stream, i);
		if (i % 1000 == 0)
			fixture_run(fixture);
	}
	assert_true(described(fixture, "lines_lost") > 50000);
	assert_int_equal(
		fixture_exchange(fixture, FIXTURE_REQUEST("GET /metrics"), answer, sizeof(answer)),
		200);
	for (int i = 0; i < FIXTURE_ROUNDS && reader.next < total; i++)
		if (!read_lines(&reader, &chunk_left))
			fixture_run(fixture);
	assert_int_equal(reader.next, total);
	assert_int_equal(reader.gaps, 1);
	write_line(fixture->stream, total);
	for (int i = 0; i < FIXTURE_ROUNDS && reader.next < total + 1; i++)
		if (!read_lines(&reader, &chunk_left))
			fixture_run(fixture);
	assert_int_equal(reader.next, total + 1);
	close(reader.fd);
}

static void the_end_of_the_server_ends_streams(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_close_ int fd = open_stream(fixture);

	control_server_free(fixture->server);
	fixture->server = NULL;
	assert_int_equal(fixture->streams_closed, 1);
	while (recv(fd, answer, sizeof(answer), 0) > 0)
		;
}

static void the_number_of_streams_is_bounded(void **state)
{
	static const char request[] = "GET /v1/stream HTTP/1.1\r\nHost: segd\r\n\r\n";
	struct fixture *fixture = *state;
	int fds[65];

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = fixture_connect(fixture);
		assert_true(fixture_send(fixture, fds[i], request, strlen(request)));
		fixture_read_until(fixture, fds[i], answer, sizeof(answer), "\r\n\r\n");
		assert_non_null(strstr(answer, i < 64 ? "HTTP/1.1 200" : "HTTP/1.1 503"));
	}
	assert_int_equal(described(fixture, "streams"), 64);
	assert_int_equal(described(fixture, "turned_away"), 1);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
}

static void ignore_closed(struct control_stream *stream, void *userdata)
{
	(void)stream;
	++*(unsigned int *)userdata;
}

static unsigned int anonymous_closed;

static void handle_anonymous(struct control_request *request, void *userdata)
{
	(void)userdata;
	control_stream(request, ignore_closed, &anonymous_closed);
}

/* As fixture_setup(), but nobody keeps the streams. */
static int setup_anonymous(void **state)
{
	static const struct control_route routes[] = {
		{"GET", "/v1/stream", CONTROL_READ, handle_anonymous},
	};
	struct fixture *fixture;
	struct control_options options = {.routes = routes, .routes_count = ARRAY_SIZE(routes)};

	if (fixture_setup(state) < 0)
		return -1;
	fixture = *state;
	control_server_free(fixture->server);
	fixture->server = NULL;
	options.socket_path = fixture->path;
	return control_server_new(&options, fixture->event, &fixture->server, NULL);
}

static int teardown_anonymous(void **state)
{
	int result = fixture_teardown(state);

	assert_int_equal(anonymous_closed, 64);
	return result;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			lines_come_as_they_are_written, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(a_silent_stream_notices_that_its_reader_left,
			fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(a_stuck_reader_costs_a_bounded_queue_and_gets_a_gap,
			fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			the_end_of_the_server_ends_streams, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			the_number_of_streams_is_bounded, setup_anonymous, teardown_anonymous),
	};

	if (fixture_need_root() < 0)
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
