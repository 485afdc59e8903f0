/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/server.h"

#include "base/cleanup.h"
#include "control/request.h"
#include "control/server_state.h"
#include "control/socket.h"
#include "control/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#define BODY_MAX_BYTES   (16UL << 20)
#define CONNECTIONS_MAX  256U
#define READERS_MAX      224U /* so that readers cannot lock out those who may change */
#define IDLE_SECONDS     30U
#define ACCEPTS_AT_ONCE  32
#define ACCEPT_WAIT_USEC 1000000

static inline void control_server_freep(struct control_server **server)
{
	control_server_free(*server);
}

unsigned int server_rights(struct control_server *server, int fd)
{
	if (server->options.tcp_address)
		return CREDENTIALS_READ;
	return credentials_rights(&server->credentials, fd);
}

void server_kick(struct control_server *server)
{
	sd_event_source_set_enabled(server->kick, SD_EVENT_ONESHOT);
}

static void run(struct control_server *server)
{
	MHD_UNSIGNED_LONG_LONG milliseconds;

	MHD_run(server->daemon);
	if (MHD_get_timeout(server->daemon, &milliseconds) != MHD_YES) {
		sd_event_source_set_enabled(server->timer, SD_EVENT_OFF);
	} else if (!milliseconds) {
		server_kick(server);
	} else {
		sd_event_source_set_time_relative(server->timer, milliseconds * 1000);
		sd_event_source_set_enabled(server->timer, SD_EVENT_ONESHOT);
	}
}

static int on_kick(sd_event_source *source, void *userdata)
{
	(void)source;
	run(userdata);
	return 0;
}

static int on_epoll(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	(void)source;
	(void)fd;
	(void)events;
	run(userdata);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	run(userdata);
	return 0;
}

static int on_resume(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct control_server *server = userdata;

	(void)source;
	(void)usec;
	sd_event_source_set_enabled(server->listen_source, SD_EVENT_ON);
	return 0;
}

/* Takes fd. A peer that may nothing is closed before MHD sees it. */
static void add_connection(struct control_server *server, int fd)
{
	_cleanup_close_ int owned = fd;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	unsigned int rights = server_rights(server, fd);

	if (!rights) {
		server->refused_peers++;
		return;
	}
	if (server->connections >= CONNECTIONS_MAX ||
		(!(rights & CREDENTIALS_CHANGE) && server->readers >= READERS_MAX)) {
		server->turned_away++;
		return;
	}
	/* It closes the socket when it fails, too. */
	MHD_add_connection(
		server->daemon, TAKE_FD(owned), (struct sockaddr *)&address, sizeof(address));
}

static int on_listen(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct control_server *server = userdata;

	(void)events;
	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		int peer = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (peer >= 0) {
			add_connection(server, peer);
			continue;
		}
		if (errno == EAGAIN)
			break;
		/* Out of file descriptors or memory: the peer waits instead of the loop spinning.
		 */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			sd_event_source_set_enabled(source, SD_EVENT_OFF);
			sd_event_source_set_time_relative(server->resume, ACCEPT_WAIT_USEC);
			sd_event_source_set_enabled(server->resume, SD_EVENT_ONESHOT);
			break;
		}
	}
	server_kick(server);
	return 0;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
	enum MHD_ConnectionNotificationCode code)
{
	struct control_server *server = cls;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		unsigned int rights = info ? server_rights(server, info->connect_fd) : 0;

		server->connections++;
		/* The context remembers which counter it is in. */
		*context = rights & CREDENTIALS_CHANGE ? NULL : &server->readers;
		server->readers += *context != NULL;
	} else {
		server->connections--;
		server->readers -= *context != NULL;
	}
}

/* Paths and queries are decoded by us, segment by segment: "ns%2Fname" is one segment. */
static size_t keep_encoded(void *cls, struct MHD_Connection *connection, char *text)
{
	(void)cls;
	(void)connection;
	return strlen(text);
}

static int start_daemon(struct control_server *server, struct error *error)
{
	server->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL,
		request_access, server, MHD_OPTION_NOTIFY_COMPLETED, request_completed, server,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_UNESCAPE_CALLBACK,
		keep_encoded, server, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS,
		MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_END);
	if (!server->daemon)
		return error_set(
			error, -ENOMEM, "start the HTTP server on %s", server->socket_path);
	return 0;
}

static int add_sources(struct control_server *server)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	sd_event *event = server->event;
	int result;

	if (!info)
		return -EOPNOTSUPP;
	result = sd_event_add_io(
		event, &server->epoll_source, info->epoll_fd, EPOLLIN, on_epoll, server);
	if (result >= 0)
		result = sd_event_add_defer(event, &server->kick, on_kick, server);
	if (result >= 0)
		result = sd_event_add_time_relative(
			event, &server->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, server);
	if (result >= 0)
		result = sd_event_source_set_enabled(server->timer, SD_EVENT_OFF);
	if (result >= 0)
		result = sd_event_add_time_relative(
			event, &server->resume, CLOCK_MONOTONIC, 0, 1000, on_resume, server);
	if (result >= 0)
		result = sd_event_source_set_enabled(server->resume, SD_EVENT_OFF);
	if (result >= 0)
		result = sd_event_add_io(event, &server->listen_source, server->listen_fd, EPOLLIN,
			on_listen, server);
	return result < 0 ? result : 0;
}

int control_server_new(const struct control_options *options, sd_event *event,
	struct control_server **ret, struct error *error)
{
	_cleanup_(control_server_freep) struct control_server *server = calloc(1, sizeof(*server));
	int result;

	if (!server)
		return error_nomem(error);
	server->listen_fd = -1;
	server->options = *options;
	if (!server->options.body_max_bytes)
		server->options.body_max_bytes = BODY_MAX_BYTES;
	server->credentials = (struct credentials)CREDENTIALS_INIT("segctl-admin", "segctl");
	server->event = sd_event_ref(event);
	server->socket_path =
		strdup(options->tcp_address ? options->tcp_address : options->socket_path);
	if (!server->socket_path)
		return error_nomem(error);
	if (options->tcp_address)
		result = socket_listen_tcp(options->tcp_address, &server->listen_fd, error);
	else
		result = socket_listen(
			server->socket_path, &server->listen_fd, &server->socket_id, error);
	if (result < 0)
		return result;
	result = start_daemon(server, error);
	if (result < 0)
		return result;
	result = add_sources(server);
	if (result < 0)
		return error_errno(error, result, "serve %s", server->socket_path);
	*ret = TAKE_PTR(server);
	return 0;
}

/* MHD insists that nothing sleeps when it stops. */
static void end_requests(struct control_server *server)
{
	struct control_request *request;

	DL_FOREACH (server->requests, request) {
		if (request->stream)
			stream_end(request->stream);
		request_resume(request);
	}
}

void control_server_free(struct control_server *server)
{
	if (!server)
		return;
	end_requests(server);
	sd_event_source_disable_unref(server->listen_source);
	sd_event_source_disable_unref(server->epoll_source);
	sd_event_source_disable_unref(server->timer);
	sd_event_source_disable_unref(server->kick);
	sd_event_source_disable_unref(server->resume);
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	if (server->listen_fd >= 0 && !server->options.tcp_address)
		socket_remove(server->socket_path, &server->socket_id);
	closep(&server->listen_fd);
	sd_event_unref(server->event);
	free(server->socket_path);
	free(server);
}

json_t *control_server_describe(const struct control_server *server)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "connections",
		(json_int_t)server->connections, "streams", (json_int_t)server->streams, "requests",
		(json_int_t)server->requests_total, "refused_peers",
		(json_int_t)server->refused_peers, "turned_away", (json_int_t)server->turned_away,
		"lines_lost", (json_int_t)server->lines_lost);
}
