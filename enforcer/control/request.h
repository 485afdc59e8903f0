/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One request from its first header to its last byte of answer. */
#pragma once

#include "control/route.h"
#include "control/server.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

struct control_request {
	struct control_server *server;
	struct MHD_Connection *connection;
	const struct control_route *route; /* NULL: none matched, an error is the answer */
	struct parameters parameters;
	char *body;
	size_t body_size;
	size_t body_capacity;
	bool body_refused;
	struct MHD_Response *response; /* waits to be queued */
	unsigned int status;
	bool handled;
	bool suspended;
	bool failed;                   /* there was no memory even for an error: hang up */
	struct control_stream *stream; /* what the answer is made from, if it is one */
	struct control_request *prev, *next;
};

/* MHD's callbacks; cls is the server. */
enum MHD_Result request_access(void *cls, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload_data, size_t *upload_data_size,
	void **context);
void request_completed(void *cls, struct MHD_Connection *connection, void **context,
	enum MHD_RequestTerminationCode code);

/* The connection sleeps until request_resume(); only from within MHD's callbacks. */
void request_suspend(struct control_request *request);
void request_resume(struct control_request *request);
/* Takes response. Only the first answer counts. */
void request_answer(
	struct control_request *request, unsigned int status, struct MHD_Response *response);
