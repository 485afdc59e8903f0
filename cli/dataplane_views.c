/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane_views.h"

#include "clock.h"
#include "record.h"
#include "text.h"

#include <string.h>

static void cell_of(struct table *table, const json_t *entry, const char *key)
{
	const char *text = field_text(entry, key);

	table_cell_text(table, TABLE_PLAIN, *text ? text : "-");
}

static void cell_of_workload(struct table *table, const json_t *entry)
{
	const char *workload = field_text(entry, "workload");

	if (*workload)
		table_cell(table, TABLE_PLAIN,
			text_format("%s/%s", field_text(entry, "namespace"), workload));
	else
		table_cell_text(table, TABLE_PLAIN,
			json_is_true(json_object_get(entry, "host")) ? "host" : "-");
}

static void cell_of_number(struct table *table, const json_t *entry, const char *key)
{
	const json_t *value = json_object_get(entry, key);

	if (json_is_number(value))
		table_cell(table, TABLE_PLAIN, text_format("%.0f", json_number_value(value)));
	else
		table_cell_text(table, TABLE_PLAIN, "-");
}

static bool is_set(const json_t *entry, const char *key)
{
	return json_is_true(json_object_get(entry, key));
}

/* --- who is who ---------------------------------------------------------------------------------
 */

static const struct table_column endpoint_columns[] = {
	{"INTERFACE", 0},
	{"WORKLOAD", TABLE_SHRINK},
	{"HOW", 0},
	{"STATE", 0},
	{"ATTACHED", 0},
	{"CONNECTIONS", TABLE_RIGHT},
	{"MAC", 0},
	{0},
};

static void add_endpoint(struct table *table, const struct settings *settings, const json_t *entry)
{
	const json_t *age = json_object_get(entry, "attached_seconds");
	bool guarded = is_set(entry, "guarded");

	(void)settings;
	table_row(table);
	cell_of(table, entry, "interface");
	cell_of_workload(table, entry);
	cell_of(table, entry, "mechanism");
	table_cell_text(table, guarded ? TABLE_WARNING : TABLE_GOOD,
		guarded                     ? "refuses all"
		: is_set(entry, "adopting") ? "enforces, adopts"
					    : "enforces");
	table_cell(table, TABLE_PLAIN,
		age ? clock_duration(json_number_value(age)) : text_format("-"));
	cell_of_number(table, entry, "connections");
	cell_of(table, entry, "mac");
}

static const struct table_column address_columns[] = {
	{"ADDRESS", 0},
	{"WHOSE", TABLE_SHRINK},
	{"CLASS", TABLE_RIGHT},
	{"MEMBERS", TABLE_SHRINK},
	{"INGRESS", TABLE_SHRINK},
	{"EGRESS", TABLE_SHRINK},
	{0},
};

/* eBPF: {"number", "policies"}; nft tells of one direction at a time, by its chain. */
static void cell_of_policies(struct table *table, const json_t *entry, const char *direction)
{
	const json_t *policies = json_object_get(entry, direction);
	const char *name = field_text(policies, "policies");

	if (json_is_object(policies))
		table_cell(table, TABLE_PLAIN,
			*name ? text_format("%s", name)
			      : text_format("table %.0f", field_number(policies, "number")));
	else if (strcmp(field_text(entry, "direction"), direction) == 0)
		table_cell(table, TABLE_PLAIN,
			text_format("%s", *field_text(entry, "policies")
						  ? field_text(entry, "policies")
						  : field_text(entry, "chain")));
	else
		table_cell_text(table, TABLE_PLAIN, "-");
}

static void add_address(struct table *table, const struct settings *settings, const json_t *entry)
{
	const char *address = field_text(entry, "address");

	(void)settings;
	table_row(table);
	table_cell_text(table, TABLE_PLAIN, *address ? address : field_text(entry, "prefix"));
	cell_of_workload(table, entry);
	cell_of_number(table, entry, "class");
	cell_of(table, entry, "members");
	cell_of_policies(table, entry, "ingress");
	cell_of_policies(table, entry, "egress");
}

/* --- policy -------------------------------------------------------------------------------------
 */

static const struct table_column peer_columns[] = {
	{"TABLE", TABLE_RIGHT},
	{"POLICIES", TABLE_SHRINK},
	{"DIRECTION", 0},
	{"CLASS", TABLE_RIGHT},
	{"PEER", TABLE_SHRINK},
	{"PORTS", TABLE_RIGHT},
	{0},
};

static void add_peer(struct table *table, const struct settings *settings, const json_t *entry)
{
	(void)settings;
	table_row(table);
	cell_of_number(table, entry, "peer_table");
	cell_of(table, entry, "policies");
	cell_of(table, entry, "direction");
	cell_of_number(table, entry, "class");
	cell_of(table, entry, "peer");
	cell_of_number(table, entry, "port_table");
}

static const struct table_column port_columns[] = {
	{"TABLE", TABLE_RIGHT},
	{"PORTS", 0},
	{"VERDICT", 0},
	{"ALSO", 0},
	{"RULE", TABLE_SHRINK},
	{0},
};

static void add_port(struct table *table, const struct settings *settings, const json_t *entry)
{
	const char *verdict = field_text(entry, "verdict");
	bool log = is_set(entry, "log"), reject = is_set(entry, "reject");

	(void)settings;
	table_row(table);
	cell_of_number(table, entry, "port_table");
	cell_of(table, entry, "ports");
	table_cell_text(table, record_color(verdict), verdict);
	table_cell(table, TABLE_PLAIN,
		text_format("%s%s%s", log ? "log" : "", log && reject ? ", " : "",
			reject ? "answer" : ""));
	table_cell(table, TABLE_PLAIN, record_why(entry));
}

static const struct table_column chain_columns[] = {
	{"CHAIN", TABLE_SHRINK},
	{"KIND", 0},
	{"DIRECTION", 0},
	{"OF", TABLE_SHRINK},
	{"OTHERWISE", TABLE_SHRINK},
	{0},
};

static void add_chain(struct table *table, const struct settings *settings, const json_t *entry)
{
	const json_t *rule = json_object_get(entry, "rule");

	(void)settings;
	table_row(table);
	cell_of(table, entry, "chain");
	table_cell_text(table, TABLE_PLAIN,
		is_set(entry, "retired") ? "not needed any more" : field_text(entry, "kind"));
	cell_of(table, entry, "direction");
	if (json_is_object(rule))
		table_cell(table, TABLE_PLAIN, record_why(entry));
	else
		cell_of(table, entry, "policies");
	cell_of(table, entry, "otherwise");
}

static const struct table_column set_columns[] = {
	{"SET", TABLE_SHRINK},
	{"KIND", 0},
	{"ELEMENTS", TABLE_RIGHT},
	{0},
};

static void add_set(struct table *table, const struct settings *settings, const json_t *entry)
{
	(void)settings;
	table_row(table);
	cell_of(table, entry, "set");
	table_cell(table, TABLE_PLAIN,
		text_format("%s%s%s", is_set(entry, "verdicts") ? "map" : "set",
			is_set(entry, "ranges") ? " of ranges" : "",
			is_set(entry, "retired") ? ", not needed any more" : ""));
	cell_of_number(table, entry, "elements");
}

/* --- traffic ------------------------------------------------------------------------------------
 */

static const struct table_column connection_columns[] = {
	{"FROM", TABLE_SHRINK},
	{"TO", TABLE_SHRINK},
	{"PORT", 0},
	{"STATE", 0},
	{"AGE", 0},
	{"IDLE", 0},
	{"PACKETS", TABLE_RIGHT},
	{"BYTES", TABLE_RIGHT},
	{"POLICY", 0},
	{"RULE", TABLE_NOTE},
	{0},
};

static char *duration_cell(double seconds)
{
	return seconds < 0 ? text_format("-") : clock_duration(seconds);
}

static char *idle_cell(const json_t *entry)
{
	const json_t *idle = json_object_get(entry, "idle_seconds");

	return duration_cell(idle ? json_number_value(idle) : -1);
}

static void add_connection(
	struct table *table, const struct settings *settings, const json_t *entry)
{
	const json_t *generation = json_object_get(entry, "generation");
	bool current = is_set(entry, "current") || !generation;

	(void)settings;
	table_row(table);
	table_cell(table, TABLE_PLAIN, record_end(json_object_get(entry, "source")));
	table_cell(table, TABLE_PLAIN, record_end(json_object_get(entry, "destination")));
	table_cell(table, TABLE_PLAIN, record_port(entry));
	cell_of(table, entry, "state");
	table_cell(table, TABLE_PLAIN, duration_cell(clock_age(field_text(entry, "start"))));
	table_cell(table, TABLE_PLAIN, idle_cell(entry));
	table_count(table, field_sum(entry, "packets"));
	table_bytes(table, field_sum(entry, "bytes"));
	table_cell(table, current ? TABLE_PLAIN : TABLE_WARNING,
		!generation ? text_format("-")
			    : text_format("%.0f%s", json_number_value(generation),
				      current ? "" : ", to be judged again"));
	table_cell(table, TABLE_PLAIN, record_why(entry));
}

static const struct table_column denial_columns[] = {
	{"FROM", TABLE_SHRINK},
	{"TO", TABLE_SHRINK},
	{"PORT", 0},
	{"AT", 0},
	{"PACKETS", TABLE_RIGHT},
	{"IDLE", 0},
	{"BECAUSE", TABLE_NOTE},
	{0},
};

static void add_denial(struct table *table, const struct settings *settings, const json_t *entry)
{
	(void)settings;
	table_row(table);
	table_cell(table, TABLE_BAD, record_end(json_object_get(entry, "source")));
	table_cell(table, TABLE_BAD, record_end(json_object_get(entry, "destination")));
	table_cell(table, TABLE_PLAIN, record_port(entry));
	cell_of(table, entry, "interface");
	table_count(table, field_sum(entry, "packets"));
	table_cell(table, TABLE_PLAIN, idle_cell(entry));
	table_cell(table, TABLE_PLAIN, record_why(entry));
}

static const struct table_column fragment_columns[] = {
	{"FROM", 0},
	{"TO", 0},
	{"ID", TABLE_RIGHT},
	{"PROTOCOL", TABLE_RIGHT},
	{"AT", 0},
	{"AGE", 0},
	{0},
};

static void add_fragment(struct table *table, const struct settings *settings, const json_t *entry)
{
	(void)settings;
	table_row(table);
	cell_of(table, entry, "source");
	cell_of(table, entry, "destination");
	cell_of_number(table, entry, "id");
	cell_of_number(table, entry, "protocol");
	cell_of(table, entry, "interface");
	table_cell(table, TABLE_PLAIN, duration_cell(field_number(entry, "age_seconds")));
}

/* --- early dropping -----------------------------------------------------------------------------
 */

static const struct table_column investigator_columns[] = {
	{"PREFIX", 0},
	{"MAY BE SENT TO", 0},
	{"MAY BE ASKED FOR", 0},
	{0},
};

static void add_investigator(
	struct table *table, const struct settings *settings, const json_t *entry)
{
	(void)settings;
	table_row(table);
	cell_of(table, entry, "prefix");
	table_cell_text(table, TABLE_PLAIN, is_set(entry, "traffic") ? "yes" : "no");
	table_cell_text(table, TABLE_PLAIN, is_set(entry, "neighbour") ? "yes" : "no");
}

static const struct table_column range_columns[] = {
	{"FIRST", 0},
	{"LAST", 0},
	{0},
};

static void add_range(struct table *table, const struct settings *settings, const json_t *entry)
{
	(void)settings;
	table_row(table);
	cell_of(table, entry, "first");
	cell_of(table, entry, "last");
}

const struct dataplane_view dataplane_views[] = {
	{"endpoints", "interfaces that are enforced", endpoint_columns, add_endpoint, NULL},
	{"addresses", "whose an address is, and its policies", address_columns, add_address, NULL},
	{"prefixes", "classes of all other addresses (ebpf)", address_columns, add_address, NULL},
	{"peers", "which ports each class of peers gets (ebpf)", peer_columns, add_peer,
		"peer_table"},
	{"ports", "what is decided for a port, and by which rule (ebpf)", port_columns, add_port,
		"port_table"},
	{"chains", "chains that policies have made (nft)", chain_columns, add_chain, NULL},
	{"sets", "sets and maps that they use (nft)", set_columns, add_set, NULL},
	{"connections", "connections that are allowed now", connection_columns, add_connection,
		NULL},
	{"denials", "refusals that are being counted", denial_columns, add_denial, NULL},
	{"fragments", "packets whose first fragment passed (ebpf)", fragment_columns, add_fragment,
		NULL},
	{"investigators", "whom the quarantined may answer", investigator_columns, add_investigator,
		NULL},
	{"deny-ranges", "addresses on deny lists", range_columns, add_range, NULL},
	{0},
};

const struct dataplane_view *dataplane_view_find(const char *name)
{
	for (const struct dataplane_view *view = dataplane_views; view->name; view++)
		if (strcmp(view->name, name) == 0)
			return view;
	return NULL;
}
