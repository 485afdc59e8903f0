/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Metrics of what the kernel judges. */
#include "api_metrics.h"

#define RULES_MAX 1000 /* with a series of their own; the others share one */

static void add_counters(struct metrics *metrics, const json_t *counters, const char *name,
	const char *unit, const char *help)
{
	const char *reason;
	json_t *counter;

	metrics_family(metrics, name, METRICS_COUNTER, help);
	json_object_foreach ((json_t *)counters, reason, counter) {
		metrics_sample(metrics, METRICS_LABELS({"reason", reason}),
			(uint64_t)json_integer_value(json_object_get(counter, unit)));
	}
}

static void add_tables(struct metrics *metrics, const json_t *tables, const char *name,
	const char *member, const char *help)
{
	const char *table;
	json_t *sizes;

	metrics_family(metrics, name, METRICS_GAUGE, help);
	json_object_foreach ((json_t *)tables, table, sizes) {
		const json_t *value = json_object_get(sizes, member);

		if (value)
			metrics_sample(metrics, METRICS_LABELS({"table", table}),
				(uint64_t)json_integer_value(value));
	}
}

void metrics_of_plane(struct metrics *metrics, const json_t *plane)
{
	const json_t *counters = json_object_get(plane, "counters");
	const json_t *tables = json_object_get(plane, "tables");
	const char *kind;
	json_t *lost;

	add_counters(metrics, counters, "segd_packets_total", "packets",
		"Packets judged, by reason; of a connection that is allowed the first one.");
	add_counters(metrics, counters, "segd_bytes_total", "bytes",
		"Bytes of packets judged, by reason.");
	metrics_family(metrics, "segd_dataplane_lost_total", METRICS_COUNTER,
		"What the data plane could not report, by kind.");
	json_object_foreach (json_object_get(plane, "losses"), kind, lost) {
		metrics_sample(metrics, METRICS_LABELS({"kind", kind}),
			(uint64_t)json_integer_value(lost));
	}
	metrics_family(metrics, "segd_connections", METRICS_GAUGE, "Connections that go on.");
	metrics_sample(
		metrics, NULL, (uint64_t)json_integer_value(json_object_get(plane, "connections")));
	add_tables(metrics, tables, "segd_table_entries", "used",
		"Entries in use, by table of the data plane.");
	add_tables(metrics, tables, "segd_table_size", "size",
		"Room for entries, by table of the data plane.");
}

struct rules {
	struct metrics *metrics;
	size_t count;
	uint64_t others;
};

static void add_rule(const json_t *rule, uint64_t hits, void *userdata)
{
	static const char *const members[] = {"kind", "namespace", "name", "text"};
	struct rules *rules = userdata;
	const char *values[4];

	if (rules->count++ >= RULES_MAX) {
		rules->others += hits;
		return;
	}
	for (size_t i = 0; i < 4; i++)
		values[i] = json_string_value(json_object_get(rule, members[i]));
	metrics_sample(rules->metrics,
		METRICS_LABELS({"kind", values[0]}, {"namespace", values[1]}, {"name", values[2]},
			{"rule", values[3]}),
		hits);
}

void metrics_of_rules(struct metrics *metrics, struct agent *agent)
{
	struct rules rules = {.metrics = metrics};

	metrics_family(metrics, "segd_rule_hits_total", METRICS_COUNTER,
		"New connections and refused packets, by deciding rule; beyond 1000 rules all others "
		"together, as kind=\"others\".");
	agent_count_hits(agent);
	rule_table_for_each(agent->rules, add_rule, &rules);
	if (rules.count > RULES_MAX)
		metrics_sample(metrics,
			METRICS_LABELS(
				{"kind", "others"}, {"namespace", ""}, {"name", ""}, {"rule", ""}),
			rules.others);
	metrics_family(metrics, "segd_rules", METRICS_GAUGE, "Rules in force.");
	metrics_sample(metrics, NULL, rules.count);
}
