/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/capture.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "capture/answers.h"
#include "capture/insides.h"
#include "capture/recording.h"
#include "capture/tap.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#define JUDGED_BYTES     512 /* at least so many are asked of the kernel: all headers are in these */
#define CONNECTIONS_MAX  16384 /* that a capture knows of: some 300 bytes each */
#define REFRESH_NS       (NS_PER_SECOND / 20)
#define TICK_USEC        100000 /* so often the node is looked at, with packets or without */
#define TICK_EARLY_USEC  10000  /* or late */
#define STATISTICS_TICKS (1000000 / TICK_USEC)

struct capture {
	struct capture_wish wish; /* ends and filter are its own */
	struct capture_world world;
	sd_event *event;
	sd_event_source *timer;
	unsigned int ticks;
	sd_event_source *deadline;
	sd_event_source *over;
	struct view view;
	uint64_t changes;
	uint64_t refreshed_ns; /* CLOCK_MONOTONIC */
	struct tap *node;
	struct insides insides;
	bool is_orphaned; /* an end that is to be captured has gone: view is of before */
	struct judge *judge;
	struct answers answers;
	struct recording recording;
	bool is_over;
	enum capture_end why;
	struct error failure; /* why is CAPTURE_FAILED */
};

static unsigned int running;

unsigned int captures_running(void)
{
	return running;
}

/* --- the end ---------------------------------------------------------------------------------
 */

static int on_over(sd_event_source *source, void *userdata)
{
	struct capture *capture = userdata;

	(void)source;
	capture->recording.sink.ended(capture->why,
		capture->why == CAPTURE_FAILED ? &capture->failure : NULL,
		capture->recording.sink.userdata);
	return 0;
}

static void count_drops(struct capture *capture)
{
	uint64_t dropped = capture->node ? tap_drops(capture->node) : 0;

	dropped += insides_drops(&capture->insides);
	if (dropped || capture->insides.untapped || tracker_evicted(judge_tracker(capture->judge)))
		judge_doubt(capture->judge);
	capture->recording.counts.dropped = dropped;
	capture->recording.counts.untapped = capture->insides.untapped;
}

/* From the event loop, since the receiver may free the capture. */
static void end(struct capture *capture, enum capture_end why)
{
	if (capture->is_over)
		return;
	count_drops(capture);
	recording_statistics(&capture->recording, true);
	capture->is_over = true;
	capture->why = why;
	sd_event_source_set_enabled(capture->timer, SD_EVENT_OFF);
	sd_event_source_set_enabled(capture->deadline, SD_EVENT_OFF);
	sd_event_source_set_enabled(capture->over, SD_EVENT_ONESHOT);
}

static void write_packet(struct capture *capture, const struct view_interface *interface,
	bool is_outgoing, const struct capture_packet *packet, const struct judgement *judgement)
{
	if (recording_packet(&capture->recording, interface, is_outgoing, packet, judgement) ==
		RECORDING_FULL)
		end(capture, CAPTURE_BYTES);
}

/* --- packets ------------------------------------------------------------------------------------
 */

static int refresh(struct capture *capture, struct error *error);

/* The node may have changed since the last look. Where it changes all the time, it is looked at so
 * often and no more. false: it cannot be, and the capture ends. */
static bool keep_up(struct capture *capture)
{
	uint64_t generation;
	const struct ir *ir = capture->world.policy(&generation, capture->world.userdata);
	int r;

	judge_set_policy(capture->judge, ir, generation);
	if (capture->changes == capture->world.changes(capture->world.userdata) ||
		clock_ns(CLOCK_MONOTONIC) < capture->refreshed_ns + REFRESH_NS)
		return true;
	r = refresh(capture, &capture->failure);
	if (r == 0)
		return true;
	error_context(&capture->failure, r, "look at the node anew");
	end(capture, CAPTURE_FAILED);
	return false;
}

static struct judgement judge_at(struct capture *capture, const struct view_interface *interface,
	enum view_place place, const struct capture_packet *packet)
{
	struct judgement judgement = {0};
	struct judge_sender sender;

	if (place == VIEW_PASSED) {
		judge_passed(capture->judge, packet, &judgement);
		return judgement;
	}
	if (place == VIEW_LEAVES)
		sender = view_sender(interface);
	judge_packet(capture->judge, packet, place == VIEW_LEAVES ? &sender : NULL, &judgement);
	return judgement;
}

static void take(struct capture *capture, const struct view_interface *interface,
	const struct tap_packet *tapped)
{
	struct capture_packet packet = {
		.time_ns = tapped->time_ns,
		.frame = tapped->frame,
		.captured = tapped->captured,
		.length = tapped->length,
	};
	struct judgement judgement = {.reason = REASON_RELATED};
	bool has_passed = tapped->is_outgoing && interface && interface->workload &&
			  !interface->netns; /* and comes out to a workload */
	enum view_place place;

	packet_parse(&packet, CAPTURE_LINK_ETHERNET);
	place = view_place(&capture->view, interface, tapped->is_outgoing, &packet);
	if (has_passed && answers_have(&capture->answers, &packet)) {
		place = VIEW_PASSED;
	} else if (place == VIEW_ELSEWHERE) {
		if (has_passed) /* not taken here, but known of */
			judge_passed(capture->judge, &packet, &judgement);
		return;
	} else {
		judgement = judge_at(capture, interface, place, &packet);
	}
	if (place == VIEW_LEAVES && judgement.verdict == FLOW_REFUSED)
		answers_note(&capture->answers, &packet);
	if (scope_has(
		    &capture->wish.scope, &capture->view, interface, place, &packet, &judgement) &&
		filter_program_matches(
			&capture->wish.filter, packet.frame, packet.captured, packet.length))
		write_packet(capture, interface, tapped->is_outgoing, &packet, &judgement);
}

static const struct view_interface *find_inside(const struct view *view, uint32_t number)
{
	for (size_t i = 0; i < view->interfaces_count; i++)
		if (view->interfaces[i].netns && view->interfaces[i].number == number)
			return &view->interfaces[i];
	return NULL;
}

static void on_packet(struct tap *tap, const struct tap_packet *packet, void *userdata)
{
	struct capture *capture = userdata;
	const uint32_t number = insides_number(&capture->insides, tap);
	const struct view_interface *interface;

	if (capture->is_over || !keep_up(capture))
		return;
	/* If the tap was given up, the packet went with it. */
	if (insides_number(&capture->insides, tap) != number)
		return;
	interface = number ? find_inside(&capture->view, number)
			   : view_find(&capture->view, packet->ifindex);
	if (!number || interface)
		take(capture, interface, packet);
}

/* --- what is tapped -----------------------------------------------------------------------------
 */

static int tap_node(struct capture *capture, const struct bpf_program *filter, struct error *error)
{
	const struct tap_options options = {
		.filter = filter,
		.packet = on_packet,
		.userdata = capture,
	};

	if (capture->node)
		return tap_set_filter(capture->node, filter, error);
	return tap_new(&options, capture->event, &capture->node, error);
}

/* Once found, a workload goes by its full name: another one of the same short name is none of the
 * capture's, and does not end it. */
static void keep_names(struct capture *capture, struct view *view)
{
	for (int end = 0; end < 2; end++)
		if (view->ends[end].workload) {
			free((char *)capture->wish.ends[end]);
			capture->wish.ends[end] = TAKE_PTR(view->ends[end].workload);
		}
}

/* Looks at the node anew, and taps what is to be tapped. */
static int refresh(struct capture *capture, struct error *error)
{
	const uint32_t snap =
		capture->wish.snap_bytes > JUDGED_BYTES ? capture->wish.snap_bytes : JUDGED_BYTES;
	_cleanup_filter_program_ struct bpf_program filter = {0};
	struct view view = {0};
	int r;

	capture->changes = capture->world.changes(capture->world.userdata);
	capture->refreshed_ns = clock_ns(CLOCK_MONOTONIC);
	r = capture->world.view(
		(const char *const *)capture->wish.ends, &view, capture->world.userdata, error);
	/* A workload that has just gone may come back. */
	capture->is_orphaned = r == -ENOENT && capture->node;
	if (capture->is_orphaned) {
		if (error)
			error_clear(error);
		return 0;
	}
	if (r < 0)
		return r;
	keep_names(capture, &view);
	view.is_of_all =
		view.ends[0].is_any && (!capture->wish.scope.is_pair || view.ends[1].is_any);
	view_clear(&capture->view);
	capture->view = view;
	r = filter_program_for_view(&view, snap, &filter, error);
	if (r == 0)
		r = tap_node(capture, &filter, error);
	return r < 0 ? r : insides_follow(&capture->insides, &view, capture->event, error);
}

/* --- beginning and end --------------------------------------------------------------------------
 */

static void on_second(struct capture *capture)
{
	/* The last that it sent has been read by now. */
	if (capture->is_orphaned) {
		insides_clear(&capture->insides);
		view_forget_workloads(&capture->view);
	}
	count_drops(capture);
	if (recording_statistics(&capture->recording, false) == RECORDING_FULL)
		end(capture, CAPTURE_BYTES);
}

/* A workload that starts anew may have another interface and another address, of which the taps
 * know nothing yet: no packet would tell of it. */
static int on_timer(sd_event_source *source, uint64_t now_usec, void *userdata)
{
	struct capture *capture = userdata;

	(void)now_usec;
	if (keep_up(capture) && ++capture->ticks % STATISTICS_TICKS == 0)
		on_second(capture);
	if (capture->is_over)
		return 0;
	sd_event_source_set_time_relative(source, TICK_USEC);
	sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

static int on_deadline(sd_event_source *source, uint64_t now_usec, void *userdata)
{
	(void)source;
	(void)now_usec;
	end(userdata, CAPTURE_TIME);
	return 0;
}

static int add_timers(struct capture *capture, struct error *error)
{
	uint64_t duration_usec = capture->wish.duration_ns / 1000;
	int r = sd_event_add_time_relative(capture->event, &capture->timer, CLOCK_MONOTONIC,
		TICK_USEC, TICK_EARLY_USEC, on_timer, capture);

	if (r >= 0)
		r = sd_event_add_time_relative(capture->event, &capture->deadline, CLOCK_MONOTONIC,
			duration_usec, 0, on_deadline, capture);
	if (r >= 0)
		r = sd_event_add_defer(capture->event, &capture->over, on_over, capture);
	if (r >= 0)
		r = sd_event_source_set_enabled(capture->over, SD_EVENT_OFF);
	return r < 0 ? error_errno(error, r, "set the capture's timers") : 0;
}

static int copy_wish(struct capture *capture, const struct capture_wish *wish)
{
	size_t size = wish->filter.bf_len * sizeof(struct bpf_insn);

	capture->wish = *wish;
	capture->wish.filter.bf_insns = size ? malloc(size) : NULL;
	for (int end = 0; end < 2; end++)
		capture->wish.ends[end] = wish->ends[end] ? strdup(wish->ends[end]) : NULL;
	if (size && !capture->wish.filter.bf_insns)
		return -ENOMEM;
	if (size)
		memcpy(capture->wish.filter.bf_insns, wish->filter.bf_insns, size);
	for (int end = 0; end < 2; end++)
		if (wish->ends[end] && !capture->wish.ends[end])
			return -ENOMEM;
	if (!wish->snap_bytes || wish->snap_bytes > CAPTURE_SNAP_MAX)
		capture->wish.snap_bytes = CAPTURE_SNAP_MAX;
	if (!wish->duration_ns || wish->duration_ns > CAPTURE_DURATION_MAX_S * NS_PER_SECOND)
		capture->wish.duration_ns = CAPTURE_DURATION_MAX_S * NS_PER_SECOND;
	return 0;
}

static int make_judge(struct capture *capture)
{
	struct judge_options options = {
		.connections_max = CONNECTIONS_MAX,
		.adopts_until_ns = capture->world.adopts_until_ns,
	};

	if (capture->world.ethertypes)
		memcpy(options.ethertypes, capture->world.ethertypes, sizeof(options.ethertypes));
	return judge_new(&options, &capture->judge);
}

/* Of those that are captured. Out of memory, it is as if it were not known of. */
static void on_connection(const struct packet_ends *ends, uint64_t last_ns, void *userdata)
{
	struct capture *capture = userdata;
	const struct view *view = &capture->view;
	bool is_wanted = view->is_of_all;

	for (int end = 0; end < 2; end++)
		for (size_t i = 0; !is_wanted && i < view->ends[end].addresses_count; i++) {
			const uint8_t *address = view->ends[end].addresses[i].bytes;

			is_wanted = !memcmp(ends->source, address, sizeof(ends->source)) ||
				    !memcmp(ends->destination, address, sizeof(ends->source));
		}
	if (is_wanted && judge_add_connection(capture->judge, ends, last_ns) < 0)
		judge_doubt(capture->judge);
}

/* Taps first, then connections: one that is opened in between is seen to be opened. */
static int start(struct capture *capture, struct error *error)
{
	uint64_t generation;
	int r = make_judge(capture);

	if (r < 0)
		return error_nomem(error);
	r = refresh(capture, error);
	if (r < 0)
		return r;
	judge_set_policy(capture->judge,
		capture->world.policy(&generation, capture->world.userdata), generation);
	r = capture->world.connections(on_connection, capture, capture->world.userdata, error);
	if (r < 0)
		return r;
	if (r > 0)
		judge_doubt(capture->judge);
	return add_timers(capture, error);
}

int capture_new(const struct capture_wish *wish, const struct capture_world *world,
	const struct capture_sink *sink, sd_event *event, struct capture **ret, struct error *error)
{
	_cleanup_(capture_freep) struct capture *capture = NULL;
	int r;

	if (running >= CAPTURES_MAX)
		return error_set(error, -EBUSY, "%d captures are running: wait for one to end",
			CAPTURES_MAX);
	capture = calloc(1, sizeof(*capture));
	if (!capture)
		return error_nomem(error);
	running++;
	capture->world = *world;
	capture->event = sd_event_ref(event);
	capture->insides.packet = on_packet;
	capture->insides.userdata = capture;
	if (copy_wish(capture, wish) < 0)
		return error_nomem(error);
	capture->recording = (struct recording){
		.sink = *sink,
		.snap_bytes = capture->wish.snap_bytes,
		.bytes_max = capture->wish.bytes_max,
	};
	r = start(capture, error);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(capture);
	return 0;
}

/* Interfaces that are sure to be asked for: one at least, or readers call the stream broken. */
static enum recording_result describe_interfaces(struct capture *capture)
{
	struct recording *recording = &capture->recording;
	enum recording_result result = RECORDING_WRITTEN;
	const struct view *view = &capture->view;

	for (size_t i = 0; result == RECORDING_WRITTEN && i < view->interfaces_count; i++) {
		const struct view_interface *interface = &view->interfaces[i];

		if (interface->workload && (interface->is_wanted[0] || interface->is_wanted[1]))
			result = recording_describe(recording, interface);
	}
	for (size_t i = 0; result == RECORDING_WRITTEN && !recording->interfaces_count &&
			   i < view->interfaces_count;
		i++)
		if (view->interfaces[i].workload)
			result = recording_describe(recording, &view->interfaces[i]);
	if (result == RECORDING_WRITTEN && !recording->interfaces_count)
		result = recording_describe(recording, NULL);
	return result;
}

bool capture_begin(struct capture *capture)
{
	enum recording_result result = recording_begin(&capture->recording);

	if (result == RECORDING_WRITTEN)
		result = describe_interfaces(capture);
	if (result == RECORDING_WRITTEN)
		return true;
	error_set(&capture->failure, -ENOSPC,
		result == RECORDING_FULL ? "not even its first blocks are within its bytes"
					 : "its first blocks cannot be written");
	end(capture, CAPTURE_FAILED);
	return false;
}

void capture_free(struct capture *capture)
{
	if (!capture)
		return;
	running--;
	tap_free(capture->node);
	insides_clear(&capture->insides);
	sd_event_source_disable_unref(capture->timer);
	sd_event_source_disable_unref(capture->deadline);
	sd_event_source_disable_unref(capture->over);
	sd_event_unref(capture->event);
	judge_free(capture->judge);
	view_clear(&capture->view);
	recording_clear(&capture->recording);
	error_clear(&capture->failure);
	free(capture->wish.filter.bf_insns);
	free((char *)capture->wish.ends[0]);
	free((char *)capture->wish.ends[1]);
	free(capture);
}

struct capture_counts capture_counts(struct capture *capture)
{
	count_drops(capture);
	return capture->recording.counts;
}
