/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live_data.h"

#include "clock.h"
#include "map.h"
#include "map_fetch.h"
#include "record.h"
#include "text.h"
#include "url.h"

#include <string.h>

#define FLOWS_MAX "200" /* of an edge, the newest */
/* A screen that waits for longer seems to be stuck. */
#define PATIENCE_MS 3000

static void replace_json(json_t **value, json_t *replacement)
{
	json_decref(*value);
	*value = replacement;
}

/* The same text for the same edge, as long as it is there. */
static char *key_of(const json_t *edge)
{
	return text_format("%s %s %s %s", field_text(edge, "from"), field_text(edge, "to"),
		field_text(edge, "what"), field_text(edge, "verdict"));
}

static void set_rate(
	json_t *edge, const char *member, const char *total, const json_t *before, double seconds)
{
	double growth = field_number(edge, total) - field_number(before, total);

	json_object_set_new(
		edge, member, json_real(seconds > 0 && growth > 0 ? growth / seconds : 0));
}

/* seconds: 0 with the first answer. */
static void measure(struct live *live, json_t *map, double seconds)
{
	json_t *totals = must(json_object()), *edge;
	size_t i;

	json_array_foreach (json_object_get(map, "edges"), i, edge) {
		_cleanup_free_ char *port = record_port(edge), *key = NULL;
		const json_t *before;

		json_object_set_new(edge, "what", json_string(port));
		json_object_set_new(edge, "packets_sum", json_real(field_sum(edge, "packets")));
		json_object_set_new(edge, "bytes_sum", json_real(field_sum(edge, "bytes")));
		key = key_of(edge);
		before = json_object_get(live->totals, key);
		set_rate(edge, "packets_rate", "packets_sum", before, seconds);
		set_rate(edge, "bytes_rate", "bytes_sum", before, seconds);
		set_rate(edge, "connections_rate", "connections", before, seconds);
		json_object_set(totals, key, edge);
	}
	replace_json(&live->totals, totals);
}

static int fetch_map(struct live *live, json_t **ret, struct error *error)
{
	const struct map_request request = {.filter = live->asked, .group = live->group};

	return map_fetch(live->client, &request, ret, error);
}

/* Groups are no name that the agent knows: they are looked for among all flows of the port. */
static int fetch_flows(struct live *live, const json_t *edge, json_t **ret, struct error *error)
{
	_cleanup_free_ char *url = text_format("/v1/flows");
	json_int_t port = json_integer_value(json_object_get(edge, "port"));

	if (!live->group) {
		url_query(&url, "from", field_text(edge, "from"));
		url_query(&url, "to", field_text(edge, "to"));
		url_query(&url, "limit", FLOWS_MAX);
	}
	url_query(&url, "protocol", field_text(edge, "protocol"));
	url_query(&url, "verdict", field_text(edge, "verdict"));
	if (port) {
		_cleanup_free_ char *number = text_format("%lld", (long long)port);

		url_query(&url, "port", number);
	}
	return client_get(live->client, url, ret, error);
}

char *live_data_end(const struct live *live, const json_t *end)
{
	const char *entity = field_text(end, "entity");
	const char *value = live->group ? json_string_value(json_object_get(
						  json_object_get(end, "labels"), live->group))
					: NULL;

	if (value)
		return text_format("%s=%s", live->group, value);
	if (*entity && record_dns_name(end))
		return text_format("%s:%s", entity, record_dns_name(end));
	return *entity ? text_format("%s", entity) : record_end(end);
}

/* Policies only change now and then, but the rule that is looked at may. */
static int fetch_details(struct live *live, struct error *error)
{
	const struct live_place *here = live_here(live);
	json_t *answer;
	int code;

	if (here->view == &live_flows) {
		code = fetch_flows(live, here->row, &answer, error);
		if (code == 0)
			replace_json(&live->flows, answer);
		return code;
	}
	if (here->view == &live_rule) {
		code = client_get(live->client, "/v1/policies", &answer, error);
		if (code == 0)
			replace_json(&live->policies, answer);
		return code;
	}
	return 0;
}

static int fetch_all(struct live *live, struct error *error)
{
	json_t *status, *map;
	double asked_at = clock_monotonic();
	int code = client_get(live->client, "/v1/status", &status, error);

	if (code < 0)
		return code;
	replace_json(&live->status, status);
	code = fetch_map(live, &map, error);
	if (code < 0)
		return code;
	measure(live, map, live->map ? asked_at - live->asked_at : 0);
	replace_json(&live->map, map);
	live->asked_at = asked_at;
	return fetch_details(live, error);
}

void live_data_ask(struct live *live)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	int code = fetch_all(live, &error);

	free(live->trouble);
	live->trouble = code < 0 ? text_format("%s", error_message(&error)) : NULL;
	if (code < 0)
		live->asked_at = clock_monotonic();
}

int live_data_begin(struct live *live, struct error *error)
{
	client_set_patience(live->client, PATIENCE_MS);
	return fetch_all(live, error);
}

void live_data_clear(struct live *live)
{
	json_decref(live->status);
	json_decref(live->map);
	json_decref(live->flows);
	json_decref(live->policies);
	json_decref(live->totals);
	free(live->trouble);
}
