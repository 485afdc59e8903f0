/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers that are complete when they are given. */
#include "base/cleanup.h"
#include "control/request.h"
#include "control/server_state.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_TYPE "application/json"

/* What MHD sends from; counted until it is sent. */
struct reply {
	struct control_server *server;
	size_t size;
	char *text;
};

static const char out_of_memory[] = "{\"error\": {\"message\": \"out of memory\"}}\n";
static const char too_much[] =
	"{\"error\": {\"message\": \"too many answers wait for slow readers, "
	"try again\"}}\n";

static void reply_free(void *cls)
{
	struct reply *reply = cls;

	reply->server->replies_bytes -= reply->size;
	free(reply->text);
	free(reply);
}

static void answer(struct control_request *request, unsigned int status, const char *type,
	struct MHD_Response *response)
{
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	request_answer(request, status, response);
}

/* text is static. */
static void answer_static(struct control_request *request, unsigned int status, const char *text)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);

	if (response) {
		answer(request, status, JSON_TYPE, response);
		return;
	}
	request->failed = true;
	request_resume(request);
}

/* Takes text (NULL: out of memory). */
static void answer_text(
	struct control_request *request, unsigned int status, const char *type, char *text)
{
	struct control_server *server = request->server;
	_cleanup_free_ char *owned = text;
	struct MHD_Response *response;
	struct reply *reply = text ? malloc(sizeof(*reply)) : NULL;
	size_t size = text ? strlen(text) : 0;

	if (!reply) {
		answer_static(request, MHD_HTTP_INTERNAL_SERVER_ERROR, out_of_memory);
		return;
	}
	if (server->replies_bytes + size > SERVER_REPLIES_MAX) {
		free(reply);
		server->turned_away++;
		answer_static(request, MHD_HTTP_SERVICE_UNAVAILABLE, too_much);
		return;
	}
	*reply = (struct reply){.server = server, .size = size, .text = TAKE_PTR(owned)};
	server->replies_bytes += size;
	response = MHD_create_response_from_buffer_with_free_callback_cls(
		size, reply->text, reply_free, reply);
	if (!response) {
		reply_free(reply);
		answer_static(request, MHD_HTTP_INTERNAL_SERVER_ERROR, out_of_memory);
		return;
	}
	answer(request, status, type, response);
}

/* With a newline behind it, for those who read it on a terminal. */
static char *dump(const json_t *body)
{
	size_t size = json_dumpb(body, NULL, 0, JSON_COMPACT);
	char *text = size ? malloc(size + 2) : NULL;

	if (!text)
		return NULL;
	json_dumpb(body, text, size, JSON_COMPACT);
	memcpy(text + size, "\n", 2);
	return text;
}

void control_reply(struct control_request *request, int status, json_t *body)
{
	char *text = body ? dump(body) : NULL;

	json_decref(body);
	answer_text(request, (unsigned int)status, JSON_TYPE, text);
}

void control_reply_error(struct control_request *request, int status, const char *format, ...)
{
	json_t *body = NULL;
	va_list arguments;

	va_start(arguments, format);
	/* Invalid UTF-8 that the peer sent and the message quotes makes jansson refuse it. */
	body = json_pack("{s:{s:o}}", "error", "message", json_vsprintf(format, arguments));
	va_end(arguments);
	if (!body)
		body = json_pack("{s:{s:s}}", "error", "message",
			"the request is not valid UTF-8, or memory ran out");
	control_reply(request, status, body);
}

void control_reply_text(struct control_request *request, const char *content_type, const char *text)
{
	answer_text(request, MHD_HTTP_OK, content_type, strdup(text));
}
