/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "client.h"

#include "clock.h"
#include "text.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_MS 5000L
#define ANSWER_TIMEOUT_MS  60000L
#define TELL_AFTER_SECONDS 3
/* An answer beyond this is a broken agent, not a large one. */
#define ANSWER_MAX_BYTES ((size_t)256 << 20)

struct client {
	CURL *curl;
	const char *socket_path;
	long patience_ms;
	int socket;      /* of the stream under way; -1: none */
	double asked_at; /* seconds, monotonic */
	bool told;       /* that it takes its time */
};

/* What came so far: the whole answer, or the line that is not complete yet. */
struct buffer {
	char *bytes;
	size_t size;
	CURL *curl;
	void (*line)(
		const char *line, size_t length, void *userdata); /* NULL: no stream of lines */
	bool (*piece)(const char *bytes, size_t length, void *userdata); /* NULL: nor of bytes */
	bool started;                                                    /* piece was called … */
	bool stopped;                                                    /* … and said so */
	void *userdata;
};

struct client *client_new(const char *socket_path)
{
	struct client *client = must(calloc(1, sizeof(*client)));

	client->socket_path = socket_path;
	client->patience_ms = ANSWER_TIMEOUT_MS;
	client->socket = -1;
	client->curl = must(curl_easy_init());
	return client;
}

void client_set_patience(struct client *client, long milliseconds)
{
	client->patience_ms = milliseconds;
}

void client_free(struct client *client)
{
	curl_easy_cleanup(client->curl);
	free(client);
}

/* Hands out complete lines and keeps the rest. */
static void split_lines(struct buffer *buffer)
{
	char *start = buffer->bytes, *end = start + buffer->size, *newline;

	while ((newline = memchr(start, '\n', (size_t)(end - start)))) {
		*newline = '\0';
		if (newline > start)
			buffer->line(start, (size_t)(newline - start), buffer->userdata);
		start = newline + 1;
	}
	buffer->size = (size_t)(end - start);
	memmove(buffer->bytes, start, buffer->size);
}

static size_t receive(char *bytes, size_t unit, size_t count, void *userdata)
{
	struct buffer *buffer = userdata;
	long status = 0;

	count *= unit;
	curl_easy_getinfo(buffer->curl, CURLINFO_RESPONSE_CODE, &status);
	if (buffer->piece && status == 200) {
		buffer->started = true;
		buffer->stopped = !buffer->piece(bytes, count, buffer->userdata);
		return buffer->stopped ? 0 : count;
	}
	if (buffer->size + count > ANSWER_MAX_BYTES)
		return 0;
	buffer->bytes = must(realloc(buffer->bytes, buffer->size + count + 1));
	memcpy(buffer->bytes + buffer->size, bytes, count);
	buffer->size += count;
	buffer->bytes[buffer->size] = '\0';
	/* A refused stream answers with one object like any other request. */
	if (buffer->line && status == 200)
		split_lines(buffer);
	return count;
}

static int unreachable(const struct client *client, CURLcode result, struct error *error)
{
	const char *path = client->socket_path;
	long os_error = 0;

	curl_easy_getinfo(client->curl, CURLINFO_OS_ERRNO, &os_error);
	/* Closed right behind accept() looks to curl like a connection that failed without errno.
	 */
	if (result != CURLE_OPERATION_TIMEDOUT &&
		(result != CURLE_COULDNT_CONNECT || os_error == 0))
		return error_set(error, -ENOTCONN,
			"the agent at %s closed the connection without an answer; to read, be in group "
			"segctl, to change, be in group segctl-admin or root",
			path);
	if (result == CURLE_OPERATION_TIMEDOUT)
		return error_set(error, -ENOTCONN,
			"the agent at %s does not answer in time; look at what it logs", path);
	if (os_error == ENOENT)
		return error_set(error, -ENOTCONN,
			"no agent: %s does not exist; start segd, or name its socket by --socket",
			path);
	if (os_error == EACCES || os_error == EPERM)
		return error_set(error, -ENOTCONN,
			"no right to connect to %s; be root or in group segctl or segctl-admin",
			path);
	if (os_error == ECONNREFUSED)
		return error_set(error, -ENOTCONN,
			"no agent listens on %s any more; start segd, or name its socket by --socket",
			path);
	return error_set(
		error, -ENOTCONN, "connect to the agent at %s: %s", path, strerror((int)os_error));
}

static int note_socket(void *userdata, curl_socket_t socket, curlsocktype purpose)
{
	struct client *client = userdata;

	(void)purpose;
	client->socket = socket;
	return CURL_SOCKOPT_OK;
}

void client_interrupt(struct client *client)
{
	if (client && client->socket >= 0)
		shutdown(client->socket, SHUT_RDWR);
}

/* A person should know what they wait for. Called a few times a second. */
static int on_progress(
	void *userdata, curl_off_t all, curl_off_t done, curl_off_t all_sent, curl_off_t sent)
{
	struct client *client = userdata;

	(void)all;
	(void)all_sent;
	(void)sent;
	if (done || client->told || clock_monotonic() - client->asked_at < TELL_AFTER_SECONDS)
		return 0;
	client->told = true;
	fprintf(stderr, "waiting for the agent at %s, for a minute at most …\n",
		client->socket_path);
	return 0;
}

static void tell_of_waiting(struct client *client)
{
	client->asked_at = clock_monotonic();
	client->told = client->patience_ms < ANSWER_TIMEOUT_MS || !isatty(STDERR_FILENO);
	curl_easy_setopt(client->curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(client->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(client->curl, CURLOPT_XFERINFODATA, client);
}

/* Sends the request; what comes back is in buffer, the HTTP status in *ret_status. */
static int perform(struct client *client, const char *method, const char *url, const char *body,
	struct buffer *buffer, long *ret_status, struct error *error)
{
	_cleanup_free_ char *full_url = text_format("http://segd%s", url);
	struct curl_slist *headers = NULL;
	CURL *curl = client->curl;
	CURLcode result;

	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, client->socket_path);
	curl_easy_setopt(curl, CURLOPT_URL, full_url);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, buffer);
	if (!buffer->line && !buffer->piece) {
		curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, client->patience_ms);
		tell_of_waiting(client);
	}
	curl_easy_setopt(curl, CURLOPT_SOCKOPTFUNCTION, note_socket);
	curl_easy_setopt(curl, CURLOPT_SOCKOPTDATA, client);
	if (body) {
		headers = must(curl_slist_append(NULL, "Content-Type: application/yaml"));
		headers = must(curl_slist_append(headers, "Expect:"));
		curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
	}
	result = curl_easy_perform(curl);
	curl_slist_free_all(headers);
	if (result != CURLE_OK)
		return unreachable(client, result, error);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, ret_status);
	return 0;
}

static int parse(const struct buffer *buffer, const char *url, json_t **ret, struct error *error)
{
	json_error_t problem;
	json_t *body = json_loadb(
		buffer->bytes ? buffer->bytes : "", buffer->size, JSON_REJECT_DUPLICATES, &problem);

	if (json_is_object(body)) {
		*ret = body;
		return 0;
	}
	json_decref(body);
	return error_set(error, -EPROTO,
		"the agent's answer to %s is no JSON object; are segctl and segd of the same version?",
		url);
}

int client_call(struct client *client, const char *method, const char *url, const char *body,
	struct client_reply *ret, struct error *error)
{
	struct buffer buffer = {.curl = client->curl};
	struct client_reply reply = {0};
	int code = perform(client, method, url, body, &buffer, &reply.status, error);

	if (code == 0)
		code = parse(&buffer, url, &reply.body, error);
	free(buffer.bytes);
	if (code == 0)
		*ret = reply;
	return code;
}

int client_reply_check(const struct client_reply *reply, struct error *error)
{
	const char *message = NULL;

	if (reply->status < 400)
		return 0;
	json_unpack(reply->body, "{s:{s:s}}", "error", "message", &message);
	if (message)
		return error_set(error, -EREMOTEIO, "%s", message);
	return error_set(error, -EREMOTEIO,
		"the agent refused with status %ld and does not say why", reply->status);
}

int client_get(struct client *client, const char *url, json_t **ret, struct error *error)
{
	struct client_reply reply;
	int code = client_call(client, "GET", url, NULL, &reply, error);

	if (code < 0)
		return code;
	code = client_reply_check(&reply, error);
	if (code == 0)
		*ret = TAKE_PTR(reply.body);
	json_decref(reply.body);
	return code;
}

int client_stream(struct client *client, const char *url, const char *body,
	bool (*bytes)(const char *bytes, size_t length, void *userdata), void *userdata,
	struct error *error)
{
	struct buffer buffer = {.curl = client->curl, .piece = bytes, .userdata = userdata};
	struct client_reply reply = {0};
	int code = perform(client, "POST", url, body, &buffer, &reply.status, error);

	if (buffer.stopped) {
		error_clear(error);
		code = 0;
	} else if (code < 0 && buffer.started) {
		code = error_set(
			error, -ENOTCONN, "the agent at %s ended the stream", client->socket_path);
	} else if (code == 0 && reply.status != 200) {
		code = parse(&buffer, url, &reply.body, error);
		if (code == 0)
			code = client_reply_check(&reply, error);
	}
	client->socket = -1;
	json_decref(reply.body);
	free(buffer.bytes);
	return code;
}

int client_follow(struct client *client, const char *url,
	void (*line)(const char *line, size_t length, void *userdata), void *userdata,
	struct error *error)
{
	struct buffer buffer = {.curl = client->curl, .line = line, .userdata = userdata};
	struct client_reply reply = {0};
	int code = perform(client, "GET", url, NULL, &buffer, &reply.status, error);
	long begun = 0;

	/* An agent that is killed breaks the stream off in the middle of a chunk, or before there
	 * was anything to tell. */
	curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &begun);
	if (code < 0 && begun == 200)
		code = error_set(
			error, -ENOTCONN, "the agent at %s ended the stream", client->socket_path);
	else if (code == 0 && reply.status == 200)
		code = error_set(
			error, -ENOTCONN, "the agent at %s ended the stream", client->socket_path);
	else if (code == 0 && (code = parse(&buffer, url, &reply.body, error)) == 0)
		code = client_reply_check(&reply, error);
	json_decref(reply.body);
	free(buffer.bytes);
	return code;
}
