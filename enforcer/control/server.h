/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTTP/1.1 with JSON on a Unix socket (libmicrohttpd inside the agent's event loop).
 *
 * The peer's credentials decide (SO_PEERCRED, supplementary groups included): root and group
 * segctl-admin may change, group segctl may read, everyone else is closed without a byte.
 */
#pragma once

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct control_server;
struct control_request;

enum control_right {
	CONTROL_READ,
	CONTROL_CHANGE
};

/*
 * A handler answers exactly once, by control_reply() or control_reply_error() or control_stream();
 * it may do so later than its return, before the server is freed.
 */
struct control_route {
	const char *method; /* "GET" */
	const char *path; /* "/v1/policies/{kind}/{namespace}/{name}": {…} matches one segment */
	enum control_right right;
	void (*handle)(struct control_request *request, void *userdata);
};

struct control_options {
	const char *socket_path; /* its directory is made (0755); an old socket is replaced only
				    when no one answers on it: else -EADDRINUSE */
	const char *tcp_address; /* "ADDRESS:PORT" instead: whoever connects may read; NULL: no */
	const struct control_route *routes; /* borrowed, as userdata */
	size_t routes_count;
	void *userdata;
	size_t body_max_bytes; /* 0: 16 MiB */
};

int control_server_new(const struct control_options *options, sd_event *event,
	struct control_server **ret, struct error *error);
/* Ends streams, removes the socket. */
void control_server_free(struct control_server *server);

/* {"connections", "streams", "requests", "refused_peers", "turned_away", "lines_lost"}: who was
 * refused for lack of rights, what was beyond a bound, what slow readers missed. New reference. */
json_t *control_server_describe(const struct control_server *server);

/* The user id with which the peer connected. -ENOTCONN: the kernel does not say. */
int control_peer(const struct control_request *request, uint32_t *ret_uid);

/* A segment of the path by its name in the route, or a query argument; decoded; NULL: not there. */
const char *control_parameter(const struct control_request *request, const char *name);
/* Calls visit for each query argument until it returns false. */
void control_query(const struct control_request *request,
	bool (*visit)(const char *key, const char *value, void *userdata), void *userdata);
/* The body, NUL-terminated behind its size. */
const char *control_body(const struct control_request *request, size_t *ret_size);

/* Takes body (NULL: 500). */
void control_reply(struct control_request *request, int status, json_t *body);
/* {"error": {"message": "…"}} */
void control_reply_error(struct control_request *request, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* For /metrics. Copies text. */
void control_reply_text(
	struct control_request *request, const char *content_type, const char *text);

/*
 * Turns the request into an endless answer of JSON lines. A reader that is too slow loses lines
 * beyond a bounded queue (1 MiB) and gets a gap line {"event":"gap","lost":n} in their place.
 * closed is called once when the peer went away or the server is freed; the stream is not to be
 * used from then on. NULL: out of memory (the request was answered).
 */
struct control_stream;
struct control_stream *control_stream(struct control_request *request,
	void (*closed)(struct control_stream *stream, void *userdata), void *userdata);
void control_stream_write(struct control_stream *stream, const char *line, size_t length);

/* The same for what is no JSON lines: type is its Content-Type. There are no gap lines: what
 * control_stream_offer() finds no room for (false) is the caller's to count and to tell. */
struct control_stream *control_stream_bytes(struct control_request *request, const char *type,
	void (*closed)(struct control_stream *stream, void *userdata), void *userdata);
bool control_stream_offer(struct control_stream *stream, const void *bytes, size_t length);
/* What is queued is still sent; then the answer is complete, and closed is called. */
void control_stream_end(struct control_stream *stream);
