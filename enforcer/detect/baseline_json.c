// SPDX-License-Identifier: GPL-2.0-or-later
/* What was learnt, told to people and kept for the next agent. */
#include "base/cleanup.h"
#include "detect/baseline_private.h"
#include "flow/timestamp.h"

#include <errno.h>
#include <string.h>
#include <utlist.h>

static json_t *edge_to_json(const struct edge *edge)
{
	const size_t peer = (size_t)(strrchr(edge->key, ' ') - edge->key);

	return json_pack("{s:s%, s:s, s:I, s:o, s:o}", "peer", edge->key, peer, "service",
		edge->key + peer + 1, "days", (json_int_t)edge->days, "first",
		timestamp_to_json(edge->first_ns), "last", timestamp_to_json(edge->last_ns));
}

static json_t *role_to_json(
	const struct baseline *baseline, const struct role *role, bool whole, uint64_t now_ns)
{
	const uint64_t learnt_ns = role->first_ns + baseline->options.learning_ns;
	json_t *json = json_pack("{s:s, s:o, s:o, s:b, s:o, s:I}", "role", role->text, "first",
		timestamp_to_json(role->first_ns), "last", timestamp_to_json(role->last_ns),
		"learnt", now_ns >= learnt_ns, "learnt_at", timestamp_to_json(learnt_ns),
		"edges_count", (json_int_t)HASH_COUNT(role->edges));
	json_t *edges;

	if (!json || !whole)
		return json;
	edges = json_array();
	for (const struct edge *edge = role->edges; edge; edge = edge->hh.next)
		json_array_append_new(edges, edge_to_json(edge));
	json_object_set_new(json, "edges", edges);
	return json;
}

json_t *baseline_to_json(const struct baseline *baseline, const char *text, uint64_t now_ns)
{
	json_t *roles = json_array();
	const struct role *role;

	DL_FOREACH (baseline->roles_by_age, role)
		if (!text || !strcmp(role->text, text))
			json_array_append_new(
				roles, role_to_json(baseline, role, text != NULL, now_ns));
	return json_pack("{s:o}", "roles", roles);
}

json_t *baseline_describe(const struct baseline *baseline)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "roles",
		(json_int_t)HASH_COUNT(baseline->roles), "roles_size",
		(json_int_t)baseline->options.roles_max, "roles_evicted",
		(json_int_t)baseline->evicted_roles, "edges", (json_int_t)baseline->edges_count,
		"edges_size", (json_int_t)baseline->options.edges_max, "edges_evicted",
		(json_int_t)baseline->evicted_edges, "held", (json_int_t)HASH_COUNT(baseline->held),
		"held_size", (json_int_t)baseline->options.held_max, "held_evicted",
		(json_int_t)baseline->evicted_held, "turned_away",
		(json_int_t)baseline->turned_away);
}

/* --- keeping ------------------------------------------------------------------------------------
 */

/* Tens of thousands of names are written while the agent waits, and hardly one needs escaping. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == '"' || *text == '\\')
			return false;
	return true;
}

static void write_text(struct writer *writer, const char *text)
{
	__attribute__((cleanup(json_decrefp))) json_t *json = NULL;
	_cleanup_free_ char *escaped = NULL;

	if (is_plain(text)) {
		writer_literal(writer, "\"");
		writer_bytes(writer, text, strlen(text));
		writer_literal(writer, "\"");
		return;
	}
	json = json_string(text);
	escaped = json_dumps(json, JSON_ENCODE_ANY);
	if (escaped)
		writer_bytes(writer, escaped, strlen(escaped));
	else
		writer->failed = true;
}

/* key: with its punctuation, as in ",\"days\":" */
static void write_number(struct writer *writer, const char *key, uint64_t number)
{
	writer_bytes(writer, key, strlen(key));
	writer_uint(writer, number);
}

static void write_role(struct writer *writer, const struct role *role)
{
	writer_literal(writer, "{\"role\":");
	write_text(writer, role->text);
	write_number(writer, ",\"first_ns\":", role->first_ns);
	write_number(writer, ",\"last_ns\":", role->last_ns);
	writer_literal(writer, "}\n");
}

static void write_edge(struct writer *writer, const struct edge *edge)
{
	writer_literal(writer, "{\"of\":");
	write_text(writer, edge->role->text);
	writer_literal(writer, ",\"edge\":");
	write_text(writer, edge->key);
	write_number(writer, ",\"first_ns\":", edge->first_ns);
	write_number(writer, ",\"last_ns\":", edge->last_ns);
	write_number(writer, ",\"day\":", edge->day);
	write_number(writer, ",\"days\":", edge->days);
	write_number(writer, ",\"networks\":", edge->networks);
	writer_literal(writer, "}\n");
}

static void write_held(struct writer *writer, const struct held *held)
{
	writer_literal(writer, "{\"held\":");
	write_text(writer, held->key);
	writer_literal(writer, ",\"alert\":");
	write_text(writer, held->alert);
	write_number(writer, ",\"role_bytes\":", held->role_length);
	writer_literal(writer, "}\n");
}

void baseline_write(const struct baseline *baseline, struct writer *writer)
{
	const struct role *role;
	const struct edge *edge;
	const struct held *held;

	DL_FOREACH (baseline->roles_by_age, role)
		write_role(writer, role);
	DL_FOREACH (baseline->edges_by_age, edge)
		write_edge(writer, edge);
	DL_FOREACH (baseline->held_by_age, held)
		write_held(writer, held);
}

static int read_role(struct baseline *baseline, const json_t *json)
{
	json_int_t first_ns, last_ns;
	const char *text;
	struct role *role;

	if (json_unpack((json_t *)json, "{s:s, s:I, s:I}", "role", &text, "first_ns", &first_ns,
		    "last_ns", &last_ns) < 0 ||
		strlen(text) >= ROLE_MAX)
		return -EBADMSG;
	role = baseline_role(baseline, text, (uint64_t)first_ns);
	if (!role)
		return -ENOMEM;
	role->last_ns = (uint64_t)last_ns;
	return 0;
}

static int read_edge(struct baseline *baseline, const json_t *json)
{
	json_int_t first_ns, last_ns, day, days, networks;
	const char *of, *key;
	struct role *role;
	struct edge *edge;

	if (json_unpack((json_t *)json, "{s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "of", &of, "edge",
		    &key, "first_ns", &first_ns, "last_ns", &last_ns, "day", &day, "days", &days,
		    "networks", &networks) < 0 ||
		strlen(of) >= ROLE_MAX || strlen(key) >= EDGE_KEY_MAX || !strchr(key, ' '))
		return -EBADMSG;
	role = baseline_role(baseline, of, (uint64_t)first_ns);
	edge = role ? baseline_edge(baseline, role, key, (uint64_t)first_ns) : NULL;
	if (!edge)
		return -ENOMEM;
	edge->last_ns = (uint64_t)last_ns;
	edge->day = (uint32_t)day;
	edge->days = (uint32_t)days;
	edge->networks = (uint32_t)networks;
	return 0;
}

int baseline_read_line(struct baseline *baseline, const char *line, size_t length)
{
	__attribute__((cleanup(json_decrefp))) json_t *json = json_loadb(line, length, 0, NULL);
	const char *held, *alert;
	json_int_t role_bytes = 0;

	if (json_object_get(json, "role"))
		return read_role(baseline, json);
	if (json_object_get(json, "edge"))
		return read_edge(baseline, json);
	if (!json ||
		json_unpack(json, "{s:s, s:s, s?I}", "held", &held, "alert", &alert, "role_bytes",
			&role_bytes) < 0 ||
		strlen(held) >= ROLE_MAX + 1 + EDGE_KEY_MAX || role_bytes < 0 ||
		role_bytes >= ROLE_MAX)
		return -EBADMSG;
	baseline_add_held(baseline, held, (size_t)role_bytes, alert);
	return 0;
}
