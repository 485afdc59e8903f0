// SPDX-License-Identifier: GPL-2.0-or-later
#include "webhook.h"

#include "base/cleanup.h"
#include "outbox.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define TIMEOUT_MS     10000L
#define RETRY_USEC     1000000ULL
#define RETRY_USEC_MAX (300 * 1000000ULL)

struct webhook {
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	sd_event *event;
	sd_event_source *curl_timer;
	sd_event_source *retry_timer;
	struct outbox outbox;
	char *current; /* out of the outbox until it is delivered or given up; NULL: none */
	bool busy;     /* it is under way, not waiting to be tried again */
	uint64_t retry_usec;
	uint64_t sent;
	uint64_t failures;
	uint64_t refused;
	char error[CURL_ERROR_SIZE]; /* why the last attempt failed; "": it did not */
	char detail[CURL_ERROR_SIZE];
};

DEFINE_CLEANUP(struct webhook *, webhook_free)

/* --- one attempt --------------------------------------------------------------------------------
 */

static void wait_before_retry(struct webhook *webhook)
{
	webhook->failures++;
	sd_event_source_set_time_relative(webhook->retry_timer, webhook->retry_usec);
	sd_event_source_set_enabled(webhook->retry_timer, SD_EVENT_ONESHOT);
	webhook->retry_usec *= 2;
	if (webhook->retry_usec > RETRY_USEC_MAX)
		webhook->retry_usec = RETRY_USEC_MAX;
}

static void start(struct webhook *webhook)
{
	if (!webhook->current)
		webhook->current = outbox_take(&webhook->outbox);
	if (webhook->busy || !webhook->current)
		return;
	webhook->detail[0] = '\0';
	if (curl_easy_setopt(webhook->easy, CURLOPT_POSTFIELDS, webhook->current) != CURLE_OK ||
		curl_multi_add_handle(webhook->multi, webhook->easy) != CURLM_OK)
		wait_before_retry(webhook);
	else
		webhook->busy = true;
}

static void next(struct webhook *webhook)
{
	free(webhook->current);
	webhook->current = NULL;
	webhook->retry_usec = RETRY_USEC;
	start(webhook);
}

static bool is_final(long status)
{
	return status >= 400 && status < 500 && status != 408 && status != 429;
}

static void finish(struct webhook *webhook, CURLcode code)
{
	long status = 0;

	webhook->busy = false;
	curl_multi_remove_handle(webhook->multi, webhook->easy);
	curl_easy_getinfo(webhook->easy, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_OK && status >= 200 && status < 300) {
		webhook->sent++;
		webhook->error[0] = '\0';
		next(webhook);
		return;
	}
	if (code == CURLE_OK)
		snprintf(webhook->error, sizeof(webhook->error), "it answered %ld", status);
	else
		snprintf(webhook->error, sizeof(webhook->error), "%s",
			*webhook->detail ? webhook->detail : curl_easy_strerror(code));
	if (code != CURLE_OK || !is_final(status)) {
		wait_before_retry(webhook);
		return;
	}
	webhook->refused++;
	next(webhook);
}

static void pump(struct webhook *webhook)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(webhook->multi, &left)))
		if (message->msg == CURLMSG_DONE)
			finish(webhook, message->data.result);
}

/* --- libcurl inside sd-event --------------------------------------------------------------------
 */

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct webhook *webhook = userdata;
	int what = 0, running;

	(void)source;
	what |= revents & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0;
	what |= revents & EPOLLOUT ? CURL_CSELECT_OUT : 0;
	what |= revents & EPOLLERR ? CURL_CSELECT_ERR : 0;
	curl_multi_socket_action(webhook->multi, fd, what, &running);
	pump(webhook);
	return 0;
}

static int on_curl_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct webhook *webhook = userdata;
	int running;

	(void)source;
	(void)usec;
	curl_multi_socket_action(webhook->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	pump(webhook);
	return 0;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	start(userdata);
	return 0;
}

static int set_timer(CURLM *multi, long timeout_ms, void *userdata)
{
	struct webhook *webhook = userdata;

	(void)multi;
	if (timeout_ms < 0)
		return sd_event_source_set_enabled(webhook->curl_timer, SD_EVENT_OFF) < 0 ? -1 : 0;
	if (sd_event_source_set_time_relative(webhook->curl_timer, (uint64_t)timeout_ms * 1000) <
			0 ||
		sd_event_source_set_enabled(webhook->curl_timer, SD_EVENT_ONESHOT) < 0)
		return -1;
	return 0;
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *assigned)
{
	struct webhook *webhook = userdata;
	sd_event_source *source = assigned;
	uint32_t events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		sd_event_source_disable_unref(source);
		return curl_multi_assign(webhook->multi, fd, NULL) == CURLM_OK ? 0 : -1;
	}
	events |= what & CURL_POLL_IN ? EPOLLIN : 0;
	events |= what & CURL_POLL_OUT ? EPOLLOUT : 0;
	if (source)
		return sd_event_source_set_io_events(source, events) < 0 ? -1 : 0;
	if (sd_event_add_io(webhook->event, &source, fd, events, on_io, webhook) < 0)
		return -1;
	return curl_multi_assign(webhook->multi, fd, source) == CURLM_OK ? 0 : -1;
}

/* --- life ---------------------------------------------------------------------------------------
 */

/* What it answers is of no interest. */
static size_t on_body(char *data, size_t one, size_t size, void *userdata)
{
	(void)data;
	(void)one;
	(void)userdata;
	return size;
}

static bool set_options(struct webhook *webhook, const char *url)
{
	CURL *easy = webhook->easy;

	webhook->headers = curl_slist_append(NULL, "Content-Type: application/json");
	return webhook->headers && curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HTTPHEADER, webhook->headers) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_USERAGENT, "segd/" SEGD_VERSION) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, TIMEOUT_MS) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, webhook->detail) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	       curl_multi_setopt(webhook->multi, CURLMOPT_SOCKETFUNCTION, set_socket) == CURLM_OK &&
	       curl_multi_setopt(webhook->multi, CURLMOPT_SOCKETDATA, webhook) == CURLM_OK &&
	       curl_multi_setopt(webhook->multi, CURLMOPT_TIMERFUNCTION, set_timer) == CURLM_OK &&
	       curl_multi_setopt(webhook->multi, CURLMOPT_TIMERDATA, webhook) == CURLM_OK;
}

static int add_timer(
	struct webhook *webhook, sd_event_time_handler_t callback, sd_event_source **ret)
{
	int r = sd_event_add_time_relative(
		webhook->event, ret, CLOCK_MONOTONIC, 0, 1000, callback, webhook);

	return r < 0 ? r : sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

int webhook_new(const char *url, sd_event *event, struct webhook **ret, struct error *error)
{
	_cleanup_(webhook_freep) struct webhook *webhook = NULL;
	int r;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return error_set(error, -EIO, "libcurl cannot be initialised");
	webhook = calloc(1, sizeof(*webhook));
	if (!webhook) {
		curl_global_cleanup();
		return error_nomem(error);
	}
	webhook->event = sd_event_ref(event);
	webhook->retry_usec = RETRY_USEC;
	webhook->multi = curl_multi_init();
	webhook->easy = curl_easy_init();
	if (!webhook->multi || !webhook->easy || !set_options(webhook, url))
		return error_nomem(error);
	r = add_timer(webhook, on_curl_timer, &webhook->curl_timer);
	if (r >= 0)
		r = add_timer(webhook, on_retry, &webhook->retry_timer);
	if (r < 0)
		return error_errno(error, r, "add a timer to the event loop");
	*ret = TAKE_PTR(webhook);
	return 0;
}

void webhook_free(struct webhook *webhook)
{
	if (!webhook)
		return;
	if (webhook->busy)
		curl_multi_remove_handle(webhook->multi, webhook->easy);
	curl_easy_cleanup(webhook->easy);
	if (webhook->multi)
		curl_multi_cleanup(webhook->multi);
	curl_slist_free_all(webhook->headers);
	sd_event_source_disable_unref(webhook->curl_timer);
	sd_event_source_disable_unref(webhook->retry_timer);
	sd_event_unref(webhook->event);
	outbox_clear(&webhook->outbox);
	free(webhook->current);
	free(webhook);
	curl_global_cleanup();
}

void webhook_post(struct webhook *webhook, char *body)
{
	outbox_add(&webhook->outbox, body);
	/* Else the attempt or the wait that is under way leads to it. */
	if (!webhook->current)
		start(webhook);
}

json_t *webhook_describe(const struct webhook *webhook)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:s?}", "waiting",
		(json_int_t)webhook->outbox.count + (webhook->current != NULL), "sent",
		(json_int_t)webhook->sent, "failures", (json_int_t)webhook->failures, "refused",
		(json_int_t)webhook->refused, "dropped", (json_int_t)webhook->outbox.dropped,
		"error", *webhook->error ? webhook->error : NULL);
}
