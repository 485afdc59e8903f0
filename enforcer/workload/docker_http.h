/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTTP requests to a runtime's Unix socket that never block: libcurl's multi interface inside
 * sd-event. Callbacks run from the event loop, outside of libcurl, so they may start and cancel
 * requests; they must not free the client.
 */
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <systemd/sd-event.h>

#define DOCKER_HTTP_ANSWER_MAX_BYTES (64 << 20)
#define DOCKER_HTTP_LINE_MAX_BYTES   (4 << 20)

struct docker_http;
struct docker_request;

/* Borrowed for the call. */
struct docker_answer {
	long status;         /* of HTTP; 0: there was no complete answer, see problem */
	const char *problem; /* what went wrong, never NULL where status is 0 */
	const char *body;    /* NUL-terminated behind its size; of a stream: what was no whole line
			      */
	size_t size;
};

struct docker_request_callbacks {
	/* Of a stream with status 200: a line without its newline, NUL-terminated behind its size.
	 */
	void (*line)(const char *line, size_t size, void *userdata);
	/* The request is over, and freed behind this call. Not called for one that was cancelled.
	 */
	void (*done)(const struct docker_answer *answer, void *userdata);
	void *userdata;
};

int docker_http_new(
	const char *socket_path, sd_event *event, struct docker_http **ret, struct error *error);
/* Cancels what is under way. */
void docker_http_free(struct docker_http *http);

/* GET path ("/containers/json"). The whole answer comes with done(); one of more than
 * DOCKER_HTTP_ANSWER_MAX_BYTES, or later than timeout_ms, is a problem. */
int docker_http_get(struct docker_http *http, const char *path, long timeout_ms,
	const struct docker_request_callbacks *callbacks, struct docker_request **ret);
/* The same for an answer that does not end by itself. */
int docker_http_stream(struct docker_http *http, const char *path,
	const struct docker_request_callbacks *callbacks, struct docker_request **ret);
/* NULL is allowed. */
void docker_request_cancel(struct docker_request *request);

static inline void docker_http_freep(struct docker_http **http)
{
	docker_http_free(*http);
}
