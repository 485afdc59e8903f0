/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An agent's part in tests: opens the data plane in a village, applies policies, keeps what is
 * reported. */
#pragma once

#include "dataplane/dataplane.h"

#include "base/cleanup.h"
#include "village.h"

#include <net/if.h>

#define EVENTS_MAX (1 << 18)
#define GROUP      4712

struct seen {
	struct flow_event *events;
	size_t count;
	char trouble[256];
	bool repaired;
};

struct agent {
	sd_event *loop;
	struct dataplane *dataplane;
	struct seen seen;
};

static inline void take_flow(const struct flow_event *event, void *userdata)
{
	struct seen *seen = userdata;

	if (seen->count < EVENTS_MAX)
		seen->events[seen->count++] = *event;
}

static inline void take_trouble(const char *message, bool repaired, void *userdata)
{
	struct seen *seen = userdata;

	seen->repaired = repaired;
	snprintf(seen->trouble, sizeof(seen->trouble), "%s", message);
}

static inline void start(struct agent *agent)
{
	const struct dataplane_options options = {
		.adoption_ns = UINT64_C(20000000000), .nflog_group = GROUP};
	const struct dataplane_callbacks callbacks = {
		.flow = take_flow, .trouble = take_trouble, .userdata = &agent->seen};
	struct error error = ERROR_INIT;

	if (!agent->seen.events)
		agent->seen.events = calloc(EVENTS_MAX, sizeof(struct flow_event));
	agent->seen.count = 0;
	assert_int_equal(sd_event_new(&agent->loop), 0);
	if (nft_dataplane_ops.open(&options, &callbacks, agent->loop, &agent->dataplane, &error) <
		0)
		fail_msg("%s", error_message(&error));
}

static inline void stop(struct agent *agent, bool detach)
{
	nft_dataplane_ops.close(agent->dataplane, detach);
	agent->dataplane = NULL;
	sd_event_unref(agent->loop);
	if (!detach)
		return;
	free(agent->seen.events);
	agent->seen.events = NULL;
}

static inline void run(struct agent *agent, unsigned int milliseconds)
{
	uint64_t end, now;

	sd_event_now(agent->loop, CLOCK_MONOTONIC, &now);
	for (end = now + milliseconds * 1000ULL; now < end;) {
		struct timespec time;

		sd_event_run(agent->loop, 10000);
		clock_gettime(CLOCK_MONOTONIC, &time);
		now = (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
	}
}

/* Of the village's workloads the first count are attached; extra: as in fixture_model(). */
static inline void apply_some(
	struct agent *agent, const char *yaml, bool adopt, unsigned int extra, unsigned int count)
{
	struct model *model = fixture_model(extra);
	struct ir *ir = fixture_ir(model, yaml);
	struct attachment attachments[4] = {0};
	struct address addresses[4][2];
	struct error error = ERROR_INIT;
	const struct dataplane_state state = {
		.ir = ir, .model = model, .attachments = attachments, .attachments_count = count};

	for (unsigned int i = 0; i < count; i++) {
		snprintf(attachments[i].name, sizeof(attachments[i].name), "v%u", i);
		attachments[i].ifindex = if_nametoindex(attachments[i].name);
		memcpy(attachments[i].mac, (const uint8_t[]){2, 0x77, 0, 0, 0, (uint8_t)(i + 2)},
			sizeof(attachments[i].mac));
		addresses[i][0] = fixture_address(fixture_workloads[i].ipv4);
		addresses[i][1] = fixture_address(fixture_workloads[i].ipv6);
		attachments[i].addresses = addresses[i];
		attachments[i].addresses_count = 2;
		attachments[i].workload =
			model_find_workload(model, "shop", fixture_workloads[i].name) -
			model->workloads;
		attachments[i].adopt = adopt;
	}
	if (nft_dataplane_ops.apply(agent->dataplane, &state, &error) < 0)
		fail_msg("%s", error_message(&error));
	ir_free(ir);
	model_free(model);
}

static inline void apply_with(struct agent *agent, const char *yaml, bool adopt)
{
	apply_some(agent, yaml, adopt, 0, 4);
}

static inline void apply(struct agent *agent, const char *yaml)
{
	apply_with(agent, yaml, false);
}

/* A connection that FIXTURE_POLICY allows, and over which both ends have talked. */
static inline int open_allowed(void)
{
	int fd = village_open("api", SOCK_STREAM, "10.77.0.4", 5432);

	assert_true(fd >= 0);
	assert_true(village_ask(fd, VILLAGE_HOPE_MS));
	return fd;
}

static inline void collect(struct agent *agent)
{
	struct error error = ERROR_INIT;

	run(agent, 50);
	if (nft_dataplane_ops.collect(agent->dataplane, &error) < 0)
		fail_msg("%s", error_message(&error));
}

static inline const struct flow_event *find_event(
	const struct agent *agent, enum flow_event_type type, const char *from, const char *to)
{
	struct address source = fixture_address(from), destination = fixture_address(to);

	for (size_t i = 0; i < agent->seen.count; i++) {
		const struct flow_event *event = &agent->seen.events[i];

		if (event->type == type && address_equal(&event->source, &source) &&
			address_equal(&event->destination, &destination))
			return event;
	}
	return NULL;
}

static inline uint64_t count_denied(
	const struct agent *agent, const char *from, const char *to, uint16_t port)
{
	struct address source = fixture_address(from), destination = fixture_address(to);
	uint64_t packets = 0;

	for (size_t i = 0; i < agent->seen.count; i++) {
		const struct flow_event *event = &agent->seen.events[i];

		if (event->type == FLOW_DENIED && address_equal(&event->source, &source) &&
			address_equal(&event->destination, &destination) &&
			event->destination_port == port)
			packets += event->packets[0];
	}
	return packets;
}

static inline int set_up(void **state)
{
	struct agent *agent = calloc(1, sizeof(*agent));

	village_build();
	start(agent);
	*state = agent;
	return 0;
}

static inline int tear_down(void **state)
{
	struct agent *agent = *state;

	if (agent->dataplane)
		stop(agent, true);
	free(agent->seen.events);
	free(agent);
	village_tear_down();
	return 0;
}

static inline uint64_t count_refused(const struct agent *agent)
{
	json_t *description = nft_dataplane_ops.describe(agent->dataplane);
	json_t *counters = json_object_get(description, "counters");
	json_t *counter = json_object_get(counters, "policy_denied");
	json_int_t packets = json_integer_value(json_object_get(counter, "packets"));

	json_decref(description);
	return (uint64_t)packets;
}

static inline uint64_t count_loss(const struct agent *agent, const char *kind)
{
	json_t *description = nft_dataplane_ops.describe(agent->dataplane);
	json_t *losses = json_object_get(description, "losses");
	json_int_t count = json_integer_value(json_object_get(losses, kind));

	json_decref(description);
	return (uint64_t)count;
}
