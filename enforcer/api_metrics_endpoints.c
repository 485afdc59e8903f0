/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Metrics of each workload: as many series as there are workloads, so only where they are wanted.
 */
#include "api_metrics.h"
#include "base/cleanup.h"
#include "flow/vocabulary.h"

#include <stdlib.h>

#define ENDPOINTS_MAX 1024

/* The first by name, so that those of a page are those of the page before. */
struct shown {
	struct flow_endpoint *endpoints; /* their strings are the connection map's */
	size_t count;
	uint64_t left_out;
};

static void take(const struct flow_endpoint *endpoint, void *userdata)
{
	struct shown *shown = userdata;

	if (shown->count < ENDPOINTS_MAX)
		shown->endpoints[shown->count++] = *endpoint;
	else
		shown->left_out++;
}

static void add_active(struct metrics *metrics, const struct shown *shown)
{
	metrics_family(metrics, "segd_endpoint_connections", METRICS_GAUGE,
		"Connections that go on, of each workload: those that it opened (egress), and those to "
		"it (ingress).");
	for (size_t i = 0; i < shown->count; i++) {
		const struct flow_endpoint *endpoint = &shown->endpoints[i];

		for (enum direction direction = 0; direction < DIRECTION_COUNT; direction++)
			metrics_sample(metrics,
				METRICS_LABELS({"namespace", endpoint->namespace},
					{"workload", endpoint->workload},
					{"direction", direction_name(direction)}),
				endpoint->active[direction]);
	}
}

static void add_traffic_of(
	struct metrics *metrics, const struct flow_endpoint *endpoint, bool is_bytes)
{
	for (enum direction direction = 0; direction < DIRECTION_COUNT; direction++)
		for (enum flow_verdict verdict = 0; verdict <= FLOW_AUDITED; verdict++)
			metrics_sample(metrics,
				METRICS_LABELS({"namespace", endpoint->namespace},
					{"workload", endpoint->workload},
					{"direction", direction_name(direction)},
					{"verdict", flow_verdict_name(verdict)}),
				is_bytes ? endpoint->bytes[direction][verdict]
					 : endpoint->packets[direction][verdict]);
}

static void add_traffic(struct metrics *metrics, const struct shown *shown, const char *name,
	const char *help, bool is_bytes)
{
	metrics_family(metrics, name, METRICS_GAUGE, help);
	for (size_t i = 0; i < shown->count; i++)
		add_traffic_of(metrics, &shown->endpoints[i], is_bytes);
}

/* What is out of memory here is not there: the rest of the page is. */
void metrics_of_endpoints(struct metrics *metrics, const struct agent *agent)
{
	_cleanup_free_ struct flow_endpoint *endpoints = calloc(ENDPOINTS_MAX, sizeof(*endpoints));
	struct shown shown = {.endpoints = endpoints};

	if (endpoints)
		(void)flow_for_each_endpoint(agent->flows, take, &shown);
	add_active(metrics, &shown);
	add_traffic(metrics, &shown, "segd_endpoint_packets",
		"Packets of connections and refused packets, of each workload, both ways, as far as "
		"the connection map remembers.",
		false);
	add_traffic(metrics, &shown, "segd_endpoint_bytes", "Bytes of them.", true);
	metrics_family(metrics, "segd_endpoints_left_out", METRICS_GAUGE,
		"Workloads that have no series of their own, since there are too many.");
	metrics_sample(metrics, NULL, shown.left_out);
}
