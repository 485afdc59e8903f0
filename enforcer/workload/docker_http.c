/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workload/docker_http.h"

#include "base/cleanup.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <utlist.h>

#define CONNECT_TIMEOUT_MS 5000
/* A runtime answers an inspect only when it is done with the container's start: enough for many
 * that start at once. */
#define CONNECTIONS_MAX  64
#define CONNECTIONS_KEPT 4

struct docker_http {
	CURLM *multi;
	char *socket_path;
	sd_event *event;
	sd_event_source *timer;
	struct docker_request *requests;
	bool pumping; /* callbacks run: what is cancelled is freed behind them */
};

struct docker_request {
	struct docker_http *http;
	CURL *easy;
	struct docker_request_callbacks callbacks;
	bool stream;
	bool cancelled;
	char *buffer; /* NUL-terminated */
	size_t size;
	size_t capacity;
	bool too_long;
	bool out_of_memory;
	struct docker_request *prev, *next;
};

/* --- inside libcurl: only to take notes
 * -----------------------------------------------------------
 */

static bool reserve(struct docker_request *request, size_t more)
{
	size_t wanted = request->size + more + 1, capacity = request->capacity;
	char *grown;

	if (wanted <= capacity)
		return true;
	while (capacity < wanted)
		capacity = capacity ? capacity * 2 : 4096;
	grown = realloc(request->buffer, capacity);
	if (!grown) {
		request->out_of_memory = true;
		return false;
	}
	request->buffer = grown;
	request->capacity = capacity;
	return true;
}

static size_t on_body(char *data, size_t one, size_t size, void *userdata)
{
	struct docker_request *request = userdata;
	size_t limit = request->stream ? DOCKER_HTTP_LINE_MAX_BYTES : DOCKER_HTTP_ANSWER_MAX_BYTES;

	(void)one;
	/* A stream's buffer holds the rest of a line and what libcurl reads at once: lines are
	 * taken out of it behind each read. */
	if (size > limit - request->size) {
		request->too_long = true;
		return 0;
	}
	if (!reserve(request, size))
		return 0;
	memcpy(request->buffer + request->size, data, size);
	request->size += size;
	request->buffer[request->size] = '\0';
	return size;
}

/* --- outside of libcurl: callbacks
 * ----------------------------------------------------------------
 */

static void request_free(struct docker_request *request)
{
	DL_DELETE(request->http->requests, request);
	if (request->easy) {
		curl_multi_remove_handle(request->http->multi, request->easy);
		curl_easy_cleanup(request->easy);
	}
	free(request->buffer);
	free(request);
}

void docker_request_cancel(struct docker_request *request)
{
	if (!request)
		return;
	if (!request->http->pumping) {
		request_free(request);
		return;
	}
	request->cancelled = true;
	curl_multi_remove_handle(request->http->multi, request->easy);
}

static long get_status(const struct docker_request *request)
{
	long status = 0;

	curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static void deliver_lines(struct docker_request *request)
{
	char *line = request->buffer, *newline;
	char *end = request->buffer + request->size;

	while (!request->cancelled && line < end &&
		(newline = memchr(line, '\n', (size_t)(end - line)))) {
		*newline = '\0';
		request->callbacks.line(
			line, (size_t)(newline - line), request->callbacks.userdata);
		line = newline + 1;
	}
	request->size = (size_t)(end - line);
	memmove(request->buffer, line, request->size);
	request->buffer[request->size] = '\0';
}

static const char *describe(const struct docker_request *request, CURLcode code)
{
	long os_error = 0;

	if (request->too_long)
		return "the answer is too long";
	if (request->out_of_memory)
		return "out of memory";
	if (code == CURLE_OK)
		return NULL;
	/* What libcurl calls "Transferred a partial file". */
	if (code == CURLE_PARTIAL_FILE || code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR)
		return "the connection was closed";
	/* "No such file or directory" says more than "Couldn't connect to server". */
	if (code == CURLE_COULDNT_CONNECT)
		curl_easy_getinfo(request->easy, CURLINFO_OS_ERRNO, &os_error);
	return os_error ? strerror((int)os_error) : curl_easy_strerror(code);
}

static void finish(struct docker_request *request, CURLcode code)
{
	struct docker_answer answer = {
		.body = request->buffer ? request->buffer : "",
		.size = request->size,
		.problem = describe(request, code),
	};

	if (!answer.problem)
		answer.status = get_status(request);
	request->cancelled = true; /* freed with those that are */
	request->callbacks.done(&answer, request->callbacks.userdata);
}

/* Runs the callbacks for what libcurl has done. */
static void pump(struct docker_http *http)
{
	struct docker_request *request, *next;
	CURLMsg *message;
	int left;

	http->pumping = true;
	/* What a callback starts is put behind the last, so next is never freed meanwhile. */
	DL_FOREACH (http->requests, request) {
		if (request->stream && request->size > 0 && get_status(request) == 200)
			deliver_lines(request);
	}
	while ((message = curl_multi_info_read(http->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&request);
		if (!request->cancelled)
			finish(request, message->data.result);
	}
	http->pumping = false;
	DL_FOREACH_SAFE (http->requests, request, next) {
		if (request->cancelled)
			request_free(request);
	}
}

/* --- libcurl inside sd-event
 * ----------------------------------------------------------------------
 */

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct docker_http *http = userdata;
	int what = 0, running;

	(void)source;
	if (revents & (EPOLLIN | EPOLLHUP))
		what |= CURL_CSELECT_IN;
	if (revents & EPOLLOUT)
		what |= CURL_CSELECT_OUT;
	if (revents & EPOLLERR)
		what |= CURL_CSELECT_ERR;
	curl_multi_socket_action(http->multi, fd, what, &running);
	pump(http);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct docker_http *http = userdata;
	int running;

	(void)source;
	(void)usec;
	curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	pump(http);
	return 0;
}

static int set_timer(CURLM *multi, long timeout_ms, void *userdata)
{
	struct docker_http *http = userdata;

	(void)multi;
	if (timeout_ms < 0)
		return sd_event_source_set_enabled(http->timer, SD_EVENT_OFF) < 0 ? -1 : 0;
	if (sd_event_source_set_time_relative(http->timer, (uint64_t)timeout_ms * 1000) < 0 ||
		sd_event_source_set_enabled(http->timer, SD_EVENT_ONESHOT) < 0)
		return -1;
	return 0;
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *assigned)
{
	struct docker_http *http = userdata;
	sd_event_source *source = assigned;
	uint32_t events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		sd_event_source_disable_unref(source);
		return curl_multi_assign(http->multi, fd, NULL) == CURLM_OK ? 0 : -1;
	}
	if (what & CURL_POLL_IN)
		events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		events |= EPOLLOUT;
	if (source)
		return sd_event_source_set_io_events(source, events) < 0 ? -1 : 0;
	if (sd_event_add_io(http->event, &source, fd, events, on_io, http) < 0)
		return -1;
	return curl_multi_assign(http->multi, fd, source) == CURLM_OK ? 0 : -1;
}

static bool set_multi_options(struct docker_http *http)
{
	return curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, set_socket) == CURLM_OK &&
	       curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http) == CURLM_OK &&
	       curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, set_timer) == CURLM_OK &&
	       curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http) == CURLM_OK &&
	       curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
		       (long)CONNECTIONS_MAX) == CURLM_OK &&
	       curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT) ==
		       CURLM_OK;
}

int docker_http_new(
	const char *socket_path, sd_event *event, struct docker_http **ret, struct error *error)
{
	_cleanup_(docker_http_freep) struct docker_http *http = NULL;
	int r;

	/* No TLS over a Unix socket: libcurl need not load what it takes. */
	if (curl_global_init(CURL_GLOBAL_NOTHING) != CURLE_OK)
		return error_set(error, -EIO, "libcurl cannot be initialised");
	http = calloc(1, sizeof(*http));
	if (!http) {
		curl_global_cleanup();
		return error_nomem(error);
	}
	http->event = sd_event_ref(event);
	http->socket_path = strdup(socket_path);
	http->multi = curl_multi_init();
	if (!http->socket_path || !http->multi || !set_multi_options(http))
		return error_nomem(error);
	r = sd_event_add_time_relative(
		event, &http->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, http);
	if (r >= 0)
		r = sd_event_source_set_enabled(http->timer, SD_EVENT_OFF);
	if (r < 0)
		return error_errno(error, r, "add a timer to the event loop");
	*ret = TAKE_PTR(http);
	return 0;
}

void docker_http_free(struct docker_http *http)
{
	struct docker_request *request, *next;

	if (!http)
		return;
	DL_FOREACH_SAFE (http->requests, request, next) {
		request_free(request);
	}
	if (http->multi)
		curl_multi_cleanup(http->multi);
	sd_event_source_disable_unref(http->timer);
	sd_event_unref(http->event);
	free(http->socket_path);
	free(http);
	curl_global_cleanup();
}

/* --- requests -----------------------------------------------------------------------------------
 */

static bool set_options(struct docker_request *request, const char *url)
{
	CURL *easy = request->easy;

	/* No proxy, whatever the environment says, and nothing but HTTP. */
	return curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, request->http->socket_path) ==
		       CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS) ==
		       CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEDATA, request) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PRIVATE, request) == CURLE_OK;
}

static int start(struct docker_http *http, const char *path, bool stream, long timeout_ms,
	const struct docker_request_callbacks *callbacks, struct docker_request **ret)
{
	_cleanup_free_ char *url = NULL;
	struct docker_request *request;

	if (asprintf(&url, "http://docker%s", path) < 0) {
		url = NULL;
		return -ENOMEM;
	}
	request = calloc(1, sizeof(*request));
	if (!request)
		return -ENOMEM;
	request->http = http;
	request->stream = stream;
	request->callbacks = *callbacks;
	DL_APPEND(http->requests, request);
	request->easy = curl_easy_init();
	if (!request->easy || !set_options(request, url) ||
		curl_easy_setopt(request->easy, CURLOPT_TIMEOUT_MS, timeout_ms) != CURLE_OK ||
		curl_multi_add_handle(http->multi, request->easy) != CURLM_OK) {
		request_free(request);
		return -ENOMEM;
	}
	*ret = request;
	return 0;
}

int docker_http_get(struct docker_http *http, const char *path, long timeout_ms,
	const struct docker_request_callbacks *callbacks, struct docker_request **ret)
{
	return start(http, path, false, timeout_ms, callbacks, ret);
}

int docker_http_stream(struct docker_http *http, const char *path,
	const struct docker_request_callbacks *callbacks, struct docker_request **ret)
{
	return start(http, path, true, 0, callbacks, ret);
}
