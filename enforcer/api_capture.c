/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POST /v1/capture: packets as they come, as an endless pcapng stream. What packets carry is not
 * for everybody who may look at flows: it takes the right to change. */
#include "api.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "capture/insides.h"
#include "capturing.h"
#include "journal.h"
#include "json.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define CONTENT_TYPE "application/x-pcapng"
#define PORT_MAX     65535
#define ABSENT       LLONG_MIN /* a number that the body does not have */

struct capturing {
	struct control_stream *stream;
	struct capture *capture;
	uint32_t uid;
	char *what; /* for the log */
};

static void capturing_free(struct capturing *capturing)
{
	capture_free(capturing->capture);
	free(capturing->what);
	free(capturing);
}

static bool on_write(const char *bytes, size_t length, void *userdata)
{
	const struct capturing *capturing = userdata;

	return control_stream_offer(capturing->stream, bytes, length);
}

static void on_ended(enum capture_end why, const struct error *error, void *userdata)
{
	const struct capturing *capturing = userdata;

	if (why == CAPTURE_FAILED)
		journal(JOURNAL_ERROR, "the capture of %s ends: %s", capturing->what,
			error_message(error));
	control_stream_end(capturing->stream);
}

static void on_closed(struct control_stream *stream, void *userdata)
{
	struct capturing *capturing = userdata;

	(void)stream;
	if (capturing->capture) {
		struct capture_counts counts = capture_counts(capturing->capture);

		journal(JOURNAL_INFO,
			"captured %llu packets of %s for user %u (%llu dropped, %llu of a slow "
			"reader)",
			(unsigned long long)counts.packets, capturing->what, capturing->uid,
			(unsigned long long)counts.dropped,
			(unsigned long long)counts.dropped_by_reader);
		if (counts.untapped)
			journal(JOURNAL_WARNING,
				"the capture of %s did not listen inside %llu workloads: it can "
				"inside %d",
				capturing->what, (unsigned long long)counts.untapped, INSIDES_MAX);
	}
	capturing_free(capturing);
}

/* --- what is asked for --------------------------------------------------------------------------
 */

struct question {
	const char *from;
	const char *to;
	json_t *workloads;
	int denied;
	int file;
	json_int_t port;
	json_t *program;
	json_int_t snap;
	json_int_t bytes;
	double seconds;
};

static int take_workloads(
	const struct question *question, struct capture_wish *wish, struct error *error)
{
	size_t count = json_array_size(question->workloads);

	if (!question->workloads)
		return 0;
	if (question->from || question->to)
		return error_set(error, -EINVAL, "workloads: not beside from and to");
	if (!json_is_array(question->workloads) || !count || count > 2)
		return error_set(
			error, -EINVAL, "workloads: expected an array of one or two names");
	for (size_t i = 0; i < count; i++) {
		wish->ends[i] = json_string_value(json_array_get(question->workloads, i));
		if (!wish->ends[i])
			return error_set(error, -EINVAL, "workloads: expected names");
	}
	wish->scope.is_pair = count == 2;
	return 0;
}

static bool is_absent_or_within(json_int_t number, json_int_t max)
{
	return number == ABSENT || (number > 0 && number <= max);
}

static json_int_t present(json_int_t number)
{
	return number == ABSENT ? 0 : number;
}

static int take_bounds(
	const struct question *question, struct capture_wish *wish, struct error *error)
{
	if (!is_absent_or_within(question->port, PORT_MAX))
		return error_set(error, -EINVAL, "port: expected 1 to %d", PORT_MAX);
	if (!is_absent_or_within(question->snap, CAPTURE_SNAP_MAX))
		return error_set(error, -EINVAL, "snap: expected 1 to %u", CAPTURE_SNAP_MAX);
	if (!is_absent_or_within(question->bytes, LLONG_MAX))
		return error_set(error, -EINVAL, "bytes: expected a positive number");
	if (!(question->seconds >= 0 && question->seconds <= (double)CAPTURE_DURATION_MAX_S))
		return error_set(
			error, -EINVAL, "seconds: expected up to %llu", CAPTURE_DURATION_MAX_S);
	wish->scope.has_port = question->port != ABSENT;
	wish->scope.port = (uint16_t)present(question->port);
	wish->snap_bytes = (uint32_t)present(question->snap);
	wish->bytes_max = (uint64_t)present(question->bytes);
	wish->duration_ns = (uint64_t)(question->seconds * NS_PER_SECOND);
	return 0;
}

/* Texts of wish are the body's; its filter is the caller's to clear. */
static int parse(
	const json_t *body, struct capture_wish *wish, bool *ret_to_file, struct error *error)
{
	struct question question = {.port = ABSENT, .snap = ABSENT, .bytes = ABSENT};
	json_error_t problem;
	int r;

	if (json_unpack_ex((json_t *)body, &problem, JSON_STRICT,
		    "{s?:s, s?:s, s?:o, s?:b, s?:b, s?:I, s?:o, s?:I, s?:I, s?:F}", "from",
		    &question.from, "to", &question.to, "workloads", &question.workloads, "denied",
		    &question.denied, "file", &question.file, "port", &question.port, "program",
		    &question.program, "snap", &question.snap, "bytes", &question.bytes, "seconds",
		    &question.seconds) < 0)
		return error_set(error, -EINVAL, "%s", problem.text);
	wish->ends[0] = question.from;
	wish->ends[1] = question.to;
	wish->scope.is_pair = wish->scope.is_directed = question.from || question.to;
	wish->scope.only_refused = question.denied;
	*ret_to_file = question.file;
	r = take_workloads(&question, wish, error);
	if (r == 0)
		r = take_bounds(&question, wish, error);
	if (r == 0 && question.program)
		r = filter_program_from_json(question.program, &wish->filter, error);
	return r;
}

static bool says_something(const struct capture_wish *wish)
{
	return wish->ends[0] || wish->ends[1] || wish->scope.only_refused || wish->scope.has_port ||
	       wish->filter.bf_len;
}

static char *describe(const struct capture_wish *wish)
{
	const char *one = wish->ends[0] ? wish->ends[0] : "anybody", *other = wish->ends[1];
	char *text = NULL;

	if (asprintf(&text, "%s%s%s%s", one, wish->scope.is_pair ? " with " : "",
		    wish->scope.is_pair ? (other ? other : "anybody") : "",
		    wish->scope.only_refused ? ", refused alone" : "") < 0)
		return NULL;
	return text;
}

/* --- the answer ---------------------------------------------------------------------------------
 */

static int status_of(int error)
{
	switch (error) {
	case -ENOENT:
		return 404;
	case -EEXIST:
		return 409;
	case -EBUSY:
		return 429;
	case -EINVAL:
		return 422;
	default:
		return 500;
	}
}

/* The capture comes before its stream, whose status says that it can be done. */
static int begin(struct control_request *request, struct agent *agent,
	const struct capture_wish *wish, struct error *error)
{
	const struct capture_world world = capturing_world(agent);
	struct capturing *capturing = calloc(1, sizeof(*capturing));
	struct capture_sink sink = {on_write, on_ended, capturing};
	int r;

	if (!capturing)
		return error_nomem(error);
	capturing->what = describe(wish);
	r = capturing->what ? control_peer(request, &capturing->uid) : -ENOMEM;
	if (r == 0)
		r = capture_new(wish, &world, &sink, agent->event, &capturing->capture, error);
	if (r < 0) {
		capturing_free(capturing);
		return r;
	}
	capturing->stream = control_stream_bytes(request, CONTENT_TYPE, on_closed, capturing);
	if (!capturing->stream) {
		capturing_free(capturing); /* the request is answered */
		return 0;
	}
	journal(JOURNAL_INFO, "user %u captures packets of %s", capturing->uid, capturing->what);
	capture_begin(capturing->capture); /* on_ended() comes where that fails */
	return 0;
}

/* Goes on without who asked. */
static int begin_file(struct control_request *request, struct agent *agent,
	const struct capture_wish *wish, struct error *error)
{
	_cleanup_free_ char *path = NULL;
	int r;

	if (!wish->bytes_max || !wish->duration_ns)
		return error_set(error, -EINVAL, "file: seconds and bytes must bound it");
	r = capturing_start_wish(agent, wish, &path, error);
	if (r == 0)
		control_reply(request, 200, json_pack("{s:s}", "path", path));
	return r;
}

void api_capture(struct control_request *request, void *userdata)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_json_ json_t *body = NULL;
	struct capture_wish wish = {0};
	bool to_file = false;
	json_error_t problem;
	const char *text;
	size_t size;
	int r;

	text = control_body(request, &size);
	body = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
	if (!body) {
		control_reply_error(request, 400, "%s", problem.text);
		return;
	}
	r = parse(body, &wish, &to_file, &error);
	if (r == 0 && !says_something(&wish))
		r = error_set(&error, -EINVAL,
			"say what to capture: workloads, from, to, port, denied or program");
	if (r == 0)
		r = to_file ? begin_file(request, userdata, &wish, &error)
			    : begin(request, userdata, &wish, &error);
	if (r < 0)
		control_reply_error(request, status_of(r), "%s", error_message(&error));
	filter_program_clear(&wish.filter);
}
