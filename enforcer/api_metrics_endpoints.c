/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Metrics of each workload: as many series as there are workloads, so only where they are wanted.
 */
#include "api_metrics.h"
#include "flow/vocabulary.h"

#define ENDPOINTS_MAX 1024

struct visit {
	struct metrics *metrics;
	bool bytes;
	size_t count;
};

static void add_active(const struct flow_endpoint *endpoint, void *userdata)
{
	struct visit *visit = userdata;

	if (visit->count++ >= ENDPOINTS_MAX)
		return;
	for (enum direction direction = 0; direction < DIRECTION_COUNT; direction++)
		metrics_sample(visit->metrics,
			METRICS_LABELS({"namespace", endpoint->namespace},
				{"workload", endpoint->workload},
				{"direction", direction_name(direction)}),
			endpoint->active[direction]);
}

static void add_traffic(const struct flow_endpoint *endpoint, void *userdata)
{
	struct visit *visit = userdata;

	if (visit->count++ >= ENDPOINTS_MAX)
		return;
	for (enum direction direction = 0; direction < DIRECTION_COUNT; direction++)
		for (enum flow_verdict verdict = 0; verdict <= FLOW_AUDITED; verdict++)
			metrics_sample(visit->metrics,
				METRICS_LABELS({"namespace", endpoint->namespace},
					{"workload", endpoint->workload},
					{"direction", direction_name(direction)},
					{"verdict", flow_verdict_name(verdict)}),
				visit->bytes ? endpoint->bytes[direction][verdict]
					     : endpoint->packets[direction][verdict]);
}

/* What is out of memory here is not there: the rest of the page is. */
static void add(struct metrics *metrics, const struct agent *agent, const char *name,
	const char *help, bool bytes,
	void (*sample)(const struct flow_endpoint *endpoint, void *userdata))
{
	struct visit visit = {.metrics = metrics, .bytes = bytes};

	metrics_family(metrics, name, METRICS_GAUGE, help);
	(void)flow_for_each_endpoint(agent->flows, sample, &visit);
}

void metrics_of_endpoints(struct metrics *metrics, const struct agent *agent)
{
	add(metrics, agent, "segd_endpoint_connections",
		"Connections that go on, of each workload: those that it opened (egress), and those to "
		"it (ingress).",
		false, add_active);
	add(metrics, agent, "segd_endpoint_packets",
		"Packets of connections and refused packets, of each workload, both ways, as far as "
		"the connection map remembers.",
		false, add_traffic);
	add(metrics, agent, "segd_endpoint_bytes", "Bytes of them.", true, add_traffic);
}
