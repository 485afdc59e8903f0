// SPDX-License-Identifier: GPL-2.0-or-later
#include "round.h"

#include "base/clock.h"
#include "dataplane/dataplane.h"

#include <netinet/in.h>

/* Only what has gone wrong waits so long: for neighbours to be looked for again, and for timers of
 * a busy machine. */
#define GRACE_NS    (5 * NS_PER_SECOND)
#define PATIENCE_MS 10
#define TURNS_MAX   10000

static struct probe *find_probe(const struct round *round, const struct delivery *delivery)
{
	uint32_t first = round->count ? round->probes[0].number : 0;

	if (delivery->tagged) {
		uint32_t index = delivery->number - first;

		return index < round->count ? &round->probes[index] : NULL;
	}
	/* Resets and timestamps quote nothing. */
	if (delivery->protocol != IPPROTO_TCP && delivery->protocol != IPPROTO_ICMP)
		return NULL;
	for (size_t i = 0; i < round->count; i++)
		if (round->probes[i].source_port == delivery->source_port &&
			round->probes[i].query.protocol == delivery->protocol)
			return &round->probes[i];
	return NULL;
}

static bool is_icmp(uint8_t protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

/* The probe itself, and no answer to it. */
static bool is_probe(const struct delivery *delivery, const struct probe *probe)
{
	if (!delivery->tagged || delivery->protocol != probe->query.protocol)
		return false;
	return !is_icmp(delivery->protocol) || delivery->icmp_type == probe->query.port >> 8;
}

static void take_delivery(const struct delivery *delivery, void *userdata)
{
	struct probe *probe = find_probe(userdata, delivery);

	if (!probe)
		return;
	if (is_probe(delivery, probe))
		probe->arrived |= delivery->place == probe->to;
	else
		probe->replied |= delivery->place == probe->from;
}

void round_take_event(struct round *round, const struct flow_event *event)
{
	if (event->type != FLOW_DENIED && event->type != FLOW_NEW && event->type != FLOW_UPDATE)
		return;
	for (size_t i = 0; i < round->count; i++)
		probe_take_event(&round->probes[i], event);
}

/* Whatever the event loop has to do now; then everything the kernel has counted. */
static int listen_to_plane(struct round *round, struct error *error)
{
	int r = 1;

	if (!round->plane)
		return 0;
	for (unsigned int i = 0; r > 0 && i < TURNS_MAX; i++)
		r = sd_event_run(round->event, 0);
	if (r < 0)
		return error_errno(error, r, "run the event loop");
	r = round->ops->collect(round->plane, error);
	return r < 0 ? error_context(error, r, "collect") : 0;
}

/* Packets that should arrive have done so; refusals are the data plane's to tell. */
static bool deliveries_are_complete(const struct round *round)
{
	for (size_t i = 0; i < round->count; i++) {
		const struct probe *probe = &round->probes[i];

		if (probe->expected.verdict == VERDICT_ALLOW && !probe->denials &&
			(!probe->arrived || (probe->expects_reply && !probe->replied)))
			return false;
	}
	return true;
}

static bool is_settled(const struct round *round)
{
	for (size_t i = 0; i < round->count; i++)
		if (!probe_is_settled(&round->probes[i]))
			return false;
	return true;
}

int round_run(struct round *round, struct error *error)
{
	uint64_t end_ns = clock_ns(CLOCK_MONOTONIC) + GRACE_NS;
	int wait_ms = 0, r = 0;

	for (size_t i = 0; !r && i < round->count; i++)
		r = post_send(round->post, &round->probes[i], error);
	while (!r) {
		r = post_receive(round->post, wait_ms, take_delivery, round, error);
		/* Collecting is dear: first let arrive what should. */
		if (!r && (wait_ms || deliveries_are_complete(round)))
			r = listen_to_plane(round, error);
		if (is_settled(round) || clock_ns(CLOCK_MONOTONIC) > end_ns)
			break;
		wait_ms = PATIENCE_MS;
	}
	/* However long this process was kept from looking. */
	if (!r && !is_settled(round))
		r = listen_to_plane(round, error);
	/* What arrived although it was refused. */
	return r ? r : post_receive(round->post, 0, take_delivery, round, error);
}
