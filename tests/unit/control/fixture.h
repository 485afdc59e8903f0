/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A server with a few routes in this process, and peers that talk to it byte by byte. */
#pragma once

#include "base/cleanup.h"
#include "control/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FIXTURE_BODY_MAX 100000
#define FIXTURE_ROUNDS   3000 /* of the event loop, until a test gives up waiting */

struct fixture {
	char directory[64];
	char path[80];
	sd_event *event;
	struct control_server *server;
	struct control_request *waiting; /* of /v1/later */
	struct control_stream *stream;   /* of /v1/stream */
	unsigned int streams_closed;
};

static inline void fixture_echo(struct control_request *request, void *userdata)
{
	const char *name = control_parameter(request, "name");
	const char *key = control_parameter(request, "key");

	(void)userdata;
	control_reply(request, 200, json_pack("{s:s?, s:s?}", "name", name, "key", key));
}

static inline void fixture_size(struct control_request *request, void *userdata)
{
	const char *body;
	size_t size;

	(void)userdata;
	body = control_body(request, &size);
	control_reply(request, 200,
		json_pack("{s:I, s:I}", "size", (json_int_t)size, "length",
			(json_int_t)strlen(body)));
}

static inline void fixture_later(struct control_request *request, void *userdata)
{
	struct fixture *fixture = userdata;

	fixture->waiting = request;
}

static inline void fixture_closed(struct control_stream *stream, void *userdata)
{
	struct fixture *fixture = userdata;

	assert_ptr_equal(stream, fixture->stream);
	fixture->stream = NULL;
	fixture->streams_closed++;
}

static inline void fixture_stream(struct control_request *request, void *userdata)
{
	struct fixture *fixture = userdata;

	fixture->stream = control_stream(request, fixture_closed, fixture);
}

static inline void fixture_nothing(struct control_request *request, void *userdata)
{
	(void)userdata;
	control_reply(request, 200, NULL);
}

static inline void fixture_text(struct control_request *request, void *userdata)
{
	(void)userdata;
	control_reply_text(request, "text/plain", "hello\n");
}

static const struct control_route fixture_routes[] = {
	{"GET", "/v1/echo", CONTROL_READ, fixture_echo},
	{"GET", "/v1/item/{name}", CONTROL_READ, fixture_echo},
	{"DELETE", "/v1/item/{name}", CONTROL_CHANGE, fixture_echo},
	{"POST", "/v1/items", CONTROL_CHANGE, fixture_size},
	{"GET", "/v1/later", CONTROL_READ, fixture_later},
	{"GET", "/v1/stream", CONTROL_READ, fixture_stream},
	{"GET", "/v1/nothing", CONTROL_READ, fixture_nothing},
	{"GET", "/metrics", CONTROL_READ, fixture_text},
};

static inline int fixture_setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct control_options options = {.routes = fixture_routes,
		.routes_count = ARRAY_SIZE(fixture_routes),
		.userdata = fixture,
		.body_max_bytes = FIXTURE_BODY_MAX};
	struct error error = ERROR_INIT;

	*state = fixture;
	strcpy(fixture->directory, "/tmp/segd-control-test-XXXXXX");
	if (!mkdtemp(fixture->directory) || chmod(fixture->directory, 0755) < 0)
		return -1;
	snprintf(fixture->path, sizeof(fixture->path), "%s/segd.sock", fixture->directory);
	options.socket_path = fixture->path;
	if (sd_event_new(&fixture->event) < 0)
		return -1;
	if (control_server_new(&options, fixture->event, &fixture->server, &error) < 0) {
		print_error("%s\n", error_message(&error));
		return -1;
	}
	return 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *fixture = *state;

	control_server_free(fixture->server);
	sd_event_unref(fixture->event);
	assert_int_equal(access(fixture->path, F_OK), -1);
	assert_int_equal(rmdir(fixture->directory), 0);
	free(fixture);
	return 0;
}

/* The server answers root; without it there is nothing to test. */
static inline int fixture_need_root(void)
{
	if (geteuid() == 0)
		return 0;
	print_message("skipped: the server only answers root and its groups\n");
	return -1;
}

static inline int fixture_connect(const struct fixture *fixture)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	strcpy(address.sun_path, fixture->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static inline void fixture_run(struct fixture *fixture)
{
	assert_true(sd_event_run(fixture->event, 10000) >= 0);
}

/* Sends all, letting the server run while the socket is full. false: the server hung up. */
static inline bool fixture_send(struct fixture *fixture, int fd, const char *bytes, size_t length)
{
	for (int i = 0; i < FIXTURE_ROUNDS && length; i++) {
		ssize_t sent = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0 && errno != EAGAIN)
			return false;
		if (sent > 0) {
			bytes += sent;
			length -= (size_t)sent;
		}
		fixture_run(fixture);
	}
	return !length;
}

/* Reads until text has come or the server hangs up; NUL-terminates. Returns the length so far. */
static inline size_t fixture_read_until(
	struct fixture *fixture, int fd, char *buffer, size_t size, const char *text)
{
	size_t length = 0;

	buffer[0] = '\0';
	for (int i = 0; i < FIXTURE_ROUNDS && length < size - 1; i++) {
		ssize_t got = recv(fd, buffer + length, size - 1 - length, MSG_DONTWAIT);

		if (!got || (got < 0 && errno != EAGAIN))
			return length;
		if (got > 0)
			length += (size_t)got;
		buffer[length] = '\0';
		if (text && strstr(buffer, text))
			return length;
		if (got < 0)
			fixture_run(fixture);
	}
	fail_msg("the server neither answered nor hung up");
	return length;
}

/* One request on a connection of its own; the answer to its end. Returns the status, 0: none. */
static inline int fixture_exchange(
	struct fixture *fixture, const char *request, char *answer, size_t size)
{
	_cleanup_close_ int fd = fixture_connect(fixture);
	int status = 0;

	fixture_send(fixture, fd, request, strlen(request));
	fixture_read_until(fixture, fd, answer, size, NULL);
	if (sscanf(answer, "HTTP/1.1 %d", &status) != 1)
		return 0;
	return status;
}

#define FIXTURE_REQUEST(line) line " HTTP/1.1\r\nHost: segd\r\nConnection: close\r\n\r\n"
