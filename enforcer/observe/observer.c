/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/observer.h"

#include "base/cleanup.h"
#include "observe/applications.h"
#include "observe/dns_message.h"
#include "observe/dns_names.h"
#include "observe/dns_queries.h"
#include "observe/dns_traffic.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#define DNS_PORT 53

struct observer {
	struct observer_options options;
	struct dns_names *names;
	struct dns_queries *queries;
	struct dns_traffic *traffic;
	struct applications *applications; /* NULL: they are not wanted */
	struct name *dns;                  /* {"application": "dns"} */
	uint64_t samples;
	uint64_t malformed; /* packets of DNS connections that are no DNS */
};

static inline void observer_freep(struct observer **observer)
{
	observer_free(*observer);
}

int observer_new(const struct observer_options *options, struct observer **ret, struct error *error)
{
	_cleanup_(observer_freep) struct observer *observer = calloc(1, sizeof(*observer));
	int r;

	if (!observer)
		return error_nomem(error);
	observer->options = *options;
	if (dns_names_new(&observer->names) < 0 || dns_queries_new(&observer->queries) < 0 ||
		dns_traffic_new(&observer->traffic) < 0)
		return error_nomem(error);
	if (options->applications) {
		r = applications_new(&observer->applications, error);
		if (r < 0)
			return r;
	}
	*ret = TAKE_PTR(observer);
	return 0;
}

void observer_free(struct observer *observer)
{
	if (!observer)
		return;
	dns_names_free(observer->names);
	dns_queries_free(observer->queries);
	dns_traffic_free(observer->traffic);
	applications_free(observer->applications);
	name_release(observer->dns);
	free(observer);
}

static bool is_dns(uint8_t protocol, uint16_t port)
{
	return protocol == IPPROTO_UDP && port == DNS_PORT;
}

static void learn(struct observer *observer, const struct flow_sample *sample,
	const struct dns_message *answer)
{
	char text[DNS_TEXT_MAX];
	struct name *workload;

	if (!answer->addresses_count || !dns_name_to_text(&answer->question, text))
		return;
	workload = observer->options.endpoint(&sample->source, observer->options.userdata);
	for (size_t i = 0; workload && workload->is_workload && i < answer->addresses_count; i++)
		dns_names_learn(observer->names, workload, &answer->addresses[i].address, text,
			sample->time_ns, answer->addresses[i].ttl_seconds);
	name_release(workload);
}

static void take_dns(struct observer *observer, const struct flow_sample *sample)
{
	const struct flow_key key = flow_key_of_sample(sample);
	struct dns_message message;

	if (dns_message_parse(sample->bytes, sample->size, sample->size == sample->payload_size,
		    &message) < 0 ||
		message.is_answer != sample->answers) {
		observer->malformed++;
		return;
	}
	if (!message.is_answer) {
		dns_queries_ask(observer->queries, &key, &message, sample->time_ns);
		dns_traffic_query(observer->traffic, &key, &message);
		return;
	}
	if (!dns_queries_answer(observer->queries, &key, &message, sample->time_ns))
		return;
	dns_traffic_answer(observer->traffic, &key, &message);
	learn(observer, sample, &message);
}

void observer_sample(struct observer *observer, const struct flow_sample *sample)
{
	const struct flow_key key = flow_key_of_sample(sample);

	observer->samples++;
	if (is_dns(sample->protocol, sample->destination_port))
		take_dns(observer, sample);
	else if (observer->applications)
		applications_sample(observer->applications, &key, sample);
}

struct name *observer_named(struct observer *observer, const struct name *workload,
	const struct address *address, struct name *end, uint64_t start_ns)
{
	return dns_names_apply(observer->names, workload, address, end, start_ns);
}

static void observe_dns(struct observer *observer, const struct flow_key *key,
	struct name_pool *pool, bool ends, struct flow_observation *ret)
{
	if (!dns_traffic_of(observer->traffic, key, pool, ret))
		return;
	if (!observer->dns)
		observer->dns = name_new(pool, json_pack("{s:s}", "application", "dns"));
	ret->application = name_reference(observer->dns);
	if (ends)
		dns_traffic_end(observer->traffic, key);
}

void observer_observed(struct observer *observer, const struct flow_event *event,
	struct name_pool *pool, struct flow_observation *ret)
{
	const struct flow_key key = flow_key_of_event(event);
	bool ends = event->type == FLOW_END;

	if (is_dns(event->protocol, event->destination_port)) {
		observe_dns(observer, &key, pool, ends, ret);
		return;
	}
	if (!observer->applications)
		return;
	ret->application = applications_of(observer->applications, &key, pool);
	if (ends)
		applications_end(observer->applications, &key);
}

json_t *observer_describe(const struct observer *observer)
{
	return json_pack("{s:I, s:I, s:o, s:o, s:o, s:o?}", "samples",
		(json_int_t)observer->samples, "malformed", (json_int_t)observer->malformed,
		"names", dns_names_describe(observer->names), "queries",
		dns_queries_describe(observer->queries), "dns",
		dns_traffic_describe(observer->traffic), "applications",
		observer->applications ? applications_describe(observer->applications) : NULL);
}
