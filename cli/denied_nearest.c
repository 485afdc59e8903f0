/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "denied_nearest.h"

#include "agent_model.h"
#include "offline.h"
#include "record.h"
#include "text.h"
#include "trace_near_miss.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static bool read_end(const json_t *end, struct address *ret)
{
	return address_parse(field_text(end, "ip"), ret) == 0;
}

bool denied_nearest_query(const json_t *refusal, struct flow_query *ret)
{
	const json_t *icmp = json_object_get(refusal, "icmp");
	struct flow_query query = {
		.protocol = agent_model_protocol(field_text(refusal, "protocol")),
		.port = (uint16_t)field_integer(refusal, "port"),
	};

	if (query.protocol == IPPROTO_ICMP || query.protocol == IPPROTO_ICMPV6) {
		if (!icmp)
			return false;
		query.port = (uint16_t)((unsigned int)field_integer(icmp, "type") << 8 |
					(unsigned int)field_integer(icmp, "code"));
	}
	if (!query.protocol || !read_end(json_object_get(refusal, "source"), &query.source) ||
		!read_end(json_object_get(refusal, "destination"), &query.destination))
		return false;
	*ret = query;
	return true;
}

/* NULL: there is nothing to say. */
static char *nearest(const struct offline *offline, const json_t *refusal)
{
	struct evaluation evaluation;
	struct near_miss near_miss;
	struct flow_query query;
	char *text;
	int r;

	if (strcmp(field_text(refusal, "reason"), "policy_denied") != 0 ||
		!denied_nearest_query(refusal, &query))
		return NULL;
	evaluation = evaluate(offline->ir, &query);
	if (evaluation.verdict == VERDICT_ALLOW)
		return text_format("policy allows it now");
	r = near_miss_find(&offline->documents, offline->model, offline->ir, &query, &evaluation,
		evaluation.direction, &near_miss);
	if (r == -ENOMEM)
		must(NULL);
	if (r < 0)
		return NULL;
	text = trace_near_miss_text(&near_miss);
	near_miss_clear(&near_miss);
	return text;
}

void denied_nearest_add(const struct settings *settings, json_t *refusals)
{
	const struct offline_options options = {.settings = settings, .agent = true};
	_cleanup_offline_ struct offline offline = {0};
	json_t *refusal;
	size_t i;

	if (offline_resolve(settings, &options, &offline, NULL) < 0)
		return;
	json_array_foreach (refusals, i, refusal) {
		_cleanup_free_ char *text = nearest(&offline, refusal);

		if (text)
			json_object_set_new(refusal, "nearest", json_string(text));
	}
}
