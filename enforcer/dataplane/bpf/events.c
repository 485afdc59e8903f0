/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/events.h"

#include <errno.h>
#include <sys/epoll.h>

/* Other work of the event loop waits for no more than these. */
#define TURN_EVENTS 16384
/* The kernel wakes nobody while something is unread. In the rest of a storm 500,000 a second fill
 * half of the ring, as do 100,000 in any other. The other half is for when the agent is busy with a
 * large policy. */
#define MANY_EVENTS  4096
#define DRAIN_EVENTS (4UL * ABI_EVENTS_BYTES / sizeof(struct abi_event))

static void report_connection(
	struct events *events, enum flow_event_type type, const struct abi_event *event)
{
	struct flow_event flow = flow_of_connection(
		type, &event->connection.key, &event->connection.value, &events->report->context);

	report_flow(events->report, &flow);
}

/* Kernel and agent agree on the ABI, so an event of another size or type cannot be. */
static int on_event(void *userdata, void *data, size_t size)
{
	struct events *events = userdata;
	const struct abi_event *event = data;

	if (size < sizeof(*event))
		return 0;
	if (event->type == ABI_EVENT_NEW)
		report_connection(events, FLOW_NEW, event);
	else if (event->type == ABI_EVENT_END)
		report_connection(events, FLOW_END, event);
	else if (event->type == ABI_EVENT_DENIED)
		events->hinted = true;
	/* An error ends the turn behind this event; the ring stays readable. */
	return --events->budget ? 0 : -EAGAIN;
}

static int consume(struct events *events, unsigned int budget)
{
	int r;

	events->budget = budget;
	events->hinted = false;
	report_now(events->report);
	samples_drain(events->samples);
	r = ring_read(&events->ring, on_event, events);
	if (events->hinted)
		events->denied(events->userdata);
	return r < 0 && r != -EAGAIN ? r : 0;
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct events *events = userdata;
	int r = consume(events, TURN_EVENTS);

	(void)fd;
	(void)revents;
	rest_after(&events->rest, source, TURN_EVENTS - events->budget, MANY_EVENTS);
	return r;
}

int events_drain(struct events *events, struct error *error)
{
	int r = consume(events, (unsigned int)DRAIN_EVENTS);

	return r < 0 ? error_errno(error, r, "read the ring buffer of events") : 0;
}

int events_open(struct events *events, int map, sd_event *event, struct error *error)
{
	int r;

	r = ring_open(&events->ring, map, ABI_EVENTS_BYTES, error);
	if (r < 0)
		return r;
	r = sd_event_add_io(event, &events->source, map, EPOLLIN, on_readable, events);
	if (r >= 0)
		r = rest_begin(&events->rest, events->source);
	if (r < 0) {
		events_close(events);
		return error_errno(error, r, "watch the ring buffer of events");
	}
	return 0;
}

void events_close(struct events *events)
{
	events->source = sd_event_source_disable_unref(events->source);
	ring_close(&events->ring);
}
