// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include <grp.h>
#include <sys/wait.h>

static char answer[4096];

/* What a peer without any right gets: a child drops root, asks, and reports how many bytes came. */
static int ask_as_nobody(const struct fixture *fixture)
{
	static const char request[] = FIXTURE_REQUEST("GET /metrics");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	ssize_t got;
	int fd;

	if (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0)
		return 100;
	strcpy(address.sun_path, fixture->path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return 101;
	send(fd, request, strlen(request), MSG_NOSIGNAL);
	got = recv(fd, answer, sizeof(answer), 0);
	return got > 0 ? 102 : 0;
}

static void strangers_do_not_get_a_byte(void **state)
{
	struct fixture *fixture = *state;
	json_t *description;
	pid_t child = fork();
	int status = -1;

	assert_true(child >= 0);
	if (!child)
		_exit(ask_as_nobody(fixture));
	for (int i = 0; i < FIXTURE_ROUNDS && waitpid(child, &status, WNOHANG) == 0; i++)
		fixture_run(fixture);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	description = control_server_describe(fixture->server);
	assert_int_equal(json_integer_value(json_object_get(description, "refused_peers")), 1);
	assert_int_equal(json_integer_value(json_object_get(description, "requests")), 0);
	json_decref(description);
	/* Root, on the same way, does. */
	assert_int_equal(
		fixture_exchange(fixture, FIXTURE_REQUEST("GET /metrics"), answer, sizeof(answer)),
		200);
}

/* More connections than the server takes: the last are closed, the first still work, and when they
 * are gone there is room again. */
static void connections_are_bounded(void **state)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: segd\r\n\r\n";
	struct fixture *fixture = *state;
	int fds[300];
	unsigned int served = 0;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = fixture_connect(fixture);
		/* A full backlog would make the next connect() wait for this very process. */
		for (int rounds = 0; i % 16 == 0 && rounds < 4; rounds++)
			fixture_run(fixture);
	}
	for (int i = 0; i < 20; i++)
		fixture_run(fixture);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fixture_send(fixture, fds[i], request, strlen(request));
		served +=
			fixture_read_until(fixture, fds[i], answer, sizeof(answer), "hello\n") > 0;
	}
	assert_int_equal(served, 256);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	for (int i = 0; i < 20; i++)
		fixture_run(fixture);
	assert_int_equal(
		fixture_exchange(fixture, FIXTURE_REQUEST("GET /metrics"), answer, sizeof(answer)),
		200);
}

/* Peers that connect and say nothing, or half of a request, do not hold up others. */
static void slow_peers_hold_up_nobody(void **state)
{
	static const char rest[] = "ics HTTP/1.1\r\nHost: segd\r\nConnection: close\r\n\r\n";
	struct fixture *fixture = *state;
	int silent = fixture_connect(fixture), halting = fixture_connect(fixture);

	assert_true(fixture_send(fixture, halting, "GET /metr", 9));
	for (int i = 0; i < 5; i++)
		assert_int_equal(fixture_exchange(fixture, FIXTURE_REQUEST("GET /metrics"), answer,
					 sizeof(answer)),
			200);
	assert_true(fixture_send(fixture, halting, rest, strlen(rest)));
	fixture_read_until(fixture, halting, answer, sizeof(answer), "hello\n");
	close(silent);
	close(halting);
}

static void a_second_server_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct control_options options = {.socket_path = fixture->path,
		.routes = fixture_routes,
		.routes_count = ARRAY_SIZE(fixture_routes),
		.userdata = fixture};
	struct control_server *second = NULL;
	struct error error = ERROR_INIT;

	assert_int_equal(
		control_server_new(&options, fixture->event, &second, &error), -EADDRINUSE);
	assert_null(second);
	assert_non_null(strstr(error_message(&error), fixture->path));
	error_clear(&error);
	assert_int_equal(
		fixture_exchange(fixture, FIXTURE_REQUEST("GET /metrics"), answer, sizeof(answer)),
		200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			strangers_do_not_get_a_byte, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			connections_are_bounded, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			slow_peers_hold_up_nobody, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			a_second_server_is_refused, fixture_setup, fixture_teardown),
	};

	if (fixture_need_root() < 0)
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
