/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/request.h"

#include "base/cleanup.h"
#include "control/server_state.h"
#include "control/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define BODY_FIRST_BYTES 4096

void request_suspend(struct control_request *request)
{
	request->suspended = true;
	MHD_suspend_connection(request->connection);
}

void request_resume(struct control_request *request)
{
	if (!request->suspended)
		return;
	request->suspended = false;
	MHD_resume_connection(request->connection);
	server_kick(request->server);
}

void request_answer(
	struct control_request *request, unsigned int status, struct MHD_Response *response)
{
	if (request->response) {
		MHD_destroy_response(response);
		return;
	}
	request->response = response;
	request->status = status;
	request_resume(request);
}

static enum MHD_Result queue_answer(struct control_request *request)
{
	return MHD_queue_response(request->connection, request->status, request->response);
}

/* -1: unknown */
static int socket_of(const struct control_request *request)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info ? info->connect_fd : -1;
}

static unsigned int peer_rights(const struct control_request *request)
{
	return server_rights(request->server, socket_of(request));
}

int control_peer(const struct control_request *request, uint32_t *ret_uid)
{
	return credentials_user(socket_of(request), ret_uid) < 0 ? -ENOTCONN : 0;
}

/* Another method would have been right: says which. */
static void answer_method_not_allowed(
	struct control_request *request, const char *path, const char *method)
{
	const struct control_options *options = &request->server->options;
	char allowed[64] = "";

	for (size_t i = 0; i < options->routes_count; i++) {
		const struct control_route *route = &options->routes[i];

		if (!route_matches(route, path) ||
			strlen(allowed) + strlen(route->method) + 3 > sizeof(allowed))
			continue;
		if (*allowed)
			strcat(allowed, ", ");
		strcat(allowed, route->method);
	}
	control_reply_error(request, MHD_HTTP_METHOD_NOT_ALLOWED,
		"%s is not possible on %s, only %s", method, path, allowed);
	if (request->response)
		MHD_add_response_header(request->response, MHD_HTTP_HEADER_ALLOW, allowed);
}

static void find_route(struct control_request *request, const char *path, const char *method)
{
	const struct control_options *options = &request->server->options;
	bool path_known = false;

	for (size_t i = 0; i < options->routes_count; i++) {
		const struct control_route *route = &options->routes[i];

		if (!route_matches(route, path))
			continue;
		path_known = true;
		if (!strcmp(route->method, method)) {
			request->route = route;
			return;
		}
	}
	if (path_known)
		answer_method_not_allowed(request, path, method);
	else
		control_reply_error(request, MHD_HTTP_NOT_FOUND, "there is nothing at %s", path);
}

struct query_context {
	struct parameters *parameters;
	int result;
};

static enum MHD_Result add_query(
	void *cls, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct query_context *context = cls;

	(void)kind;
	if (!value)
		value = "";
	context->result =
		parameters_add(context->parameters, key, strlen(key), value, strlen(value), true);
	return context->result < 0 ? MHD_NO : MHD_YES;
}

static void read_parameters(struct control_request *request, const char *path)
{
	struct query_context context = {.parameters = &request->parameters};

	context.result = route_parameters(request->route, path, &request->parameters);
	if (!context.result)
		MHD_get_connection_values(
			request->connection, MHD_GET_ARGUMENT_KIND, add_query, &context);
	if (context.result == -EINVAL)
		control_reply_error(request, MHD_HTTP_BAD_REQUEST,
			"%s or its query is not percent-encoded as it should be", path);
	else if (context.result < 0)
		control_reply_error(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory");
}

static void check_rights(struct control_request *request)
{
	unsigned int needed =
		request->route->right == CONTROL_CHANGE ? CREDENTIALS_CHANGE : CREDENTIALS_READ;

	if (!(peer_rights(request) & needed))
		control_reply_error(request, MHD_HTTP_FORBIDDEN,
			"only root and members of group %s may do this",
			needed == CREDENTIALS_CHANGE ? request->server->credentials.change.name
						     : request->server->credentials.read.name);
}

static void answer_too_large(struct control_request *request)
{
	control_reply_error(request, MHD_HTTP_CONTENT_TOO_LARGE,
		"the body is larger than %zu bytes", request->server->options.body_max_bytes);
}

static void check_length(struct control_request *request)
{
	const char *length = MHD_lookup_connection_value(
		request->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

	if (length && strtoull(length, NULL, 10) > request->server->options.body_max_bytes)
		answer_too_large(request);
}

static struct control_request *request_new(
	struct control_server *server, struct MHD_Connection *connection)
{
	struct control_request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->server = server;
	request->connection = connection;
	DL_APPEND(server->requests, request);
	server->requests_total++;
	return request;
}

/* The headers are there. What is wrong already is answered before the body comes. */
static enum MHD_Result begin(struct control_request *request, const char *path, const char *method)
{
	find_route(request, path, method);
	if (request->route)
		check_rights(request);
	if (request->route && !request->response)
		read_parameters(request, path);
	if (request->route && !request->response)
		check_length(request);
	return request->response ? queue_answer(request) : MHD_YES;
}

static bool grow_body(struct control_request *request, size_t size)
{
	struct control_server *server = request->server;
	size_t capacity = request->body_capacity ? request->body_capacity : BODY_FIRST_BYTES;
	char *body;

	while (capacity <= size)
		capacity *= 2;
	if (capacity == request->body_capacity)
		return true;
	if (server->bodies_bytes - request->body_capacity + capacity > SERVER_BODIES_MAX)
		return false;
	body = realloc(request->body, capacity);
	if (!body)
		return false;
	server->bodies_bytes += capacity - request->body_capacity;
	request->body = body;
	request->body_capacity = capacity;
	return true;
}

/* MHD takes no answer in the middle of a body: what is too much is read and dropped, but only as
 * much again as would have been allowed. */
static enum MHD_Result add_body(struct control_request *request, const char *data, size_t length)
{
	size_t max = request->server->options.body_max_bytes;

	if (request->body_size + length > 2 * max)
		return MHD_NO;
	if (request->body_size + length > max || request->route->right != CONTROL_CHANGE)
		request->body_refused = true;
	if (!request->body_refused && grow_body(request, request->body_size + length))
		memcpy(request->body + request->body_size, data, length);
	else
		request->body_refused = true;
	request->body_size += length;
	return MHD_YES;
}

static void handle(struct control_request *request)
{
	struct control_server *server = request->server;

	request->handled = true;
	if (request->body_size > server->options.body_max_bytes) {
		answer_too_large(request);
	} else if (request->body_refused && request->route->right == CONTROL_CHANGE) {
		server->turned_away++;
		control_reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE,
			"too many large requests at once, try again");
	} else {
		if (request->body)
			request->body[request->body_size] = '\0';
		request->route->handle(request, server->options.userdata);
	}
}

enum MHD_Result request_access(void *cls, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload_data, size_t *upload_data_size,
	void **context)
{
	struct control_request *request = *context;

	(void)version;
	if (!request) {
		request = request_new(cls, connection);
		*context = request;
		return request ? begin(request, url, method) : MHD_NO;
	}
	if (*upload_data_size) {
		size_t length = *upload_data_size;

		*upload_data_size = 0;
		return add_body(request, upload_data, length);
	}
	if (!request->handled)
		handle(request);
	if (request->response)
		return queue_answer(request);
	if (request->failed)
		return MHD_NO;
	request_suspend(request);
	return MHD_YES;
}

void request_completed(void *cls, struct MHD_Connection *connection, void **context,
	enum MHD_RequestTerminationCode code)
{
	struct control_server *server = cls;
	struct control_request *request = *context;

	(void)connection;
	(void)code;
	if (!request)
		return;
	*context = NULL;
	DL_DELETE(server->requests, request);
	server->bodies_bytes -= request->body_capacity;
	if (request->stream)
		stream_free(request->stream);
	if (request->response)
		MHD_destroy_response(request->response);
	parameters_clear(&request->parameters);
	free(request->body);
	free(request);
}

const char *control_parameter(const struct control_request *request, const char *name)
{
	for (size_t i = 0; i < request->parameters.count; i++)
		if (!strcmp(request->parameters.items[i].name, name))
			return request->parameters.items[i].value;
	return NULL;
}

void control_query(const struct control_request *request,
	bool (*visit)(const char *key, const char *value, void *userdata), void *userdata)
{
	for (size_t i = 0; i < request->parameters.count; i++) {
		const struct parameter *parameter = &request->parameters.items[i];

		if (parameter->query && !visit(parameter->name, parameter->value, userdata))
			return;
	}
}

const char *control_body(const struct control_request *request, size_t *ret_size)
{
	*ret_size = request->body ? request->body_size : 0;
	return request->body ? request->body : "";
}
