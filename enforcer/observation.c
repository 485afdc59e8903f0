/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observation.h"

static struct name *endpoint(const struct address *address, void *userdata)
{
	const struct agent *agent = userdata;

	return flow_pipeline_endpoint(agent->flows, address);
}

int observation_open(struct agent *agent, struct error *error)
{
	const struct observer_options options = {
		.applications = agent->options->detect_protocols,
		.endpoint = endpoint,
		.userdata = agent,
	};
	int r;

	if (agent->options->no_observe)
		return 0;
	r = observer_new(&options, &agent->observer, error);
	return r < 0 ? error_context(error, r, "observe packets") : 0;
}

json_t *observation_describe(const struct agent *agent)
{
	return agent->observer ? observer_describe(agent->observer) : json_null();
}

void observation_sample(const struct flow_sample *sample, void *userdata)
{
	const struct agent *agent = userdata;

	if (agent->observer)
		observer_sample(agent->observer, sample);
}

struct name *observation_named(const struct name *workload, const struct address *address,
	struct name *end, uint64_t start_ns, void *userdata)
{
	const struct agent *agent = userdata;

	return agent->observer ? observer_named(agent->observer, workload, address, end, start_ns)
			       : NULL;
}

void observation_observed(const struct flow_event *event, struct name_pool *pool,
	struct flow_observation *ret, void *userdata)
{
	const struct agent *agent = userdata;

	if (agent->observer)
		observer_observed(agent->observer, event, pool, ret);
}
