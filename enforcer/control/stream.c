/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/stream.h"

#include "base/cleanup.h"
#include "control/request.h"
#include "control/server_state.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_BYTES (1 << 20)
#define GAP_BYTES   64 /* always free for one gap line */
#define BLOCK_BYTES 16384

struct control_stream {
	struct control_request *request;
	void (*closed)(struct control_stream *stream, void *userdata);
	void *userdata;
	sd_event_source *hangup; /* MHD does not look at a connection that sleeps */
	bool ended;
	uint64_t lost; /* since the last gap line */
	size_t head;
	size_t length;
	char queue[QUEUE_BYTES]; /* a ring; memory only as far as it was ever filled */
};

static void put(struct control_stream *stream, const char *bytes, size_t length)
{
	size_t tail = (stream->head + stream->length) % QUEUE_BYTES;
	size_t first = length < QUEUE_BYTES - tail ? length : QUEUE_BYTES - tail;

	memcpy(stream->queue + tail, bytes, first);
	memcpy(stream->queue, bytes + first, length - first);
	stream->length += length;
}

static size_t take(struct control_stream *stream, char *bytes, size_t max)
{
	size_t length = stream->length < max ? stream->length : max;
	size_t first = length < QUEUE_BYTES - stream->head ? length : QUEUE_BYTES - stream->head;

	memcpy(bytes, stream->queue + stream->head, first);
	memcpy(bytes + first, stream->queue, length - first);
	stream->length -= length;
	stream->head = stream->length ? (stream->head + length) % QUEUE_BYTES : 0;
	return length;
}

static void put_gap(struct control_stream *stream)
{
	char line[GAP_BYTES];
	int length = snprintf(line, sizeof(line), "{\"event\":\"gap\",\"lost\":%llu}\n",
		(unsigned long long)stream->lost);

	put(stream, line, (size_t)length);
	stream->lost = 0;
}

static ssize_t read_stream(void *cls, uint64_t position, char *bytes, size_t max)
{
	struct control_stream *stream = cls;
	size_t length;

	(void)position;
	if (!stream->length && stream->ended)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (!stream->length) {
		request_suspend(stream->request);
		return 0;
	}
	length = take(stream, bytes, max);
	/* Half of the queue is free again before lines are taken in, so that a reader who is a
	 * little too slow sees few gaps instead of many. */
	if (stream->lost && stream->length <= QUEUE_BYTES / 2)
		put_gap(stream);
	return (ssize_t)length;
}

static int on_hangup(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct control_stream *stream = userdata;

	(void)fd;
	(void)events;
	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	stream->length = 0;
	stream_end(stream);
	return 0;
}

void stream_end(struct control_stream *stream)
{
	stream->ended = true;
	request_resume(stream->request);
}

void stream_free(struct control_stream *stream)
{
	stream->request->server->streams--;
	sd_event_source_disable_unref(stream->hangup);
	if (stream->closed)
		stream->closed(stream, stream->userdata);
	free(stream);
}

static struct MHD_Response *make_response(struct control_stream *stream, const char *type)
{
	struct MHD_Response *response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_stream, stream, NULL);

	if (response)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	return response;
}

/* On a connection whose peer hangs up, and without the time limit that answers have: a stream may
 * be silent for days, and a reader who has paused it may come back. */
static int watch(struct control_stream *stream)
{
	struct control_request *request = stream->request;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (!info)
		return -ENOTCONN;
	MHD_set_connection_option(request->connection, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
	return sd_event_add_io(
		request->server->event, &stream->hangup, info->connect_fd, 0, on_hangup, stream);
}

static struct control_stream *refuse(struct control_request *request, int status, const char *why)
{
	request->server->turned_away++;
	control_reply_error(request, status, "%s", why);
	return NULL;
}

struct control_stream *control_stream_bytes(struct control_request *request, const char *type,
	void (*closed)(struct control_stream *stream, void *userdata), void *userdata)
{
	_cleanup_free_ struct control_stream *stream = NULL;
	struct MHD_Response *response;

	if (request->server->streams >= SERVER_STREAMS_MAX)
		return refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, "too many streams");
	stream = malloc(sizeof(*stream));
	if (!stream)
		return refuse(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory");
	/* Not calloc(): the queue is not to be touched. */
	memset(stream, 0, offsetof(struct control_stream, queue));
	stream->request = request;
	stream->closed = closed;
	stream->userdata = userdata;
	response = make_response(stream, type);
	if (!response)
		return refuse(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory");
	if (watch(stream) < 0) {
		MHD_destroy_response(response);
		return refuse(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory");
	}
	request->server->streams++;
	request->stream = stream;
	request_answer(request, MHD_HTTP_OK, response);
	return TAKE_PTR(stream);
}

struct control_stream *control_stream(struct control_request *request,
	void (*closed)(struct control_stream *stream, void *userdata), void *userdata)
{
	return control_stream_bytes(request, "application/x-ndjson", closed, userdata);
}

void control_stream_end(struct control_stream *stream)
{
	stream_end(stream);
}

bool control_stream_offer(struct control_stream *stream, const void *bytes, size_t length)
{
	if (stream->ended || length > QUEUE_BYTES - stream->length)
		return false;
	put(stream, bytes, length);
	request_resume(stream->request);
	return true;
}

void control_stream_write(struct control_stream *stream, const char *line, size_t length)
{
	if (stream->ended)
		return;
	if (stream->lost || length > QUEUE_BYTES - GAP_BYTES - stream->length) {
		stream->lost++;
		stream->request->server->lines_lost++;
		return;
	}
	put(stream, line, length);
	request_resume(stream->request);
}
