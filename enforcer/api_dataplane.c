/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GET /v1/dataplane/{table}: one page of a table of the data plane, with names for its numbers. */
#include "api.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "dump_cursor.h"
#include "json.h"
#include "names.h"

#include <errno.h>
#include <string.h>

static const char *const table_names[DATAPLANE_TABLES_COUNT] = {
#define X(symbol, name) [DATAPLANE_##symbol] = name,
	DATAPLANE_TABLES(X)
#undef X
};

struct page {
	struct agent *agent;
	struct flow_resolver resolver;
	struct flow_filter *filter; /* connections and refusals */
	const char *workload;       /* the others: whose; NULL: everybody's */
	json_t *entries;
	struct error *error;
	int result;
};

static void page_clear(struct page *page)
{
	flow_filter_free(page->filter);
	json_decref(page->entries);
}

/* --- names --------------------------------------------------------------------------------------
 */

static const struct workload *owner_of(const struct agent *agent, uint32_t ifindex)
{
	for (size_t i = 0; ifindex && i < registry_count(agent->registry); i++) {
		const struct workload *workload = registry_at(agent->registry, i);

		for (size_t j = 0; j < workload->interfaces_count; j++)
			if (workload->interfaces[j].ifindex == ifindex)
				return workload;
	}
	return NULL;
}

static void name_rule(const struct agent *agent, json_t *entry)
{
	const json_t *rule = json_object_get(entry, "rule");

	if (rule)
		json_object_set_new(entry, "rule",
			rule_table_json(agent->rules, (uint32_t)json_integer_value(rule)));
}

/* By its address, which says more: of a remote workload there is no interface here. */
static const struct workload *name_address(const struct page *page, json_t *entry)
{
	const char *text = json_string_value(json_object_get(entry, "address"));
	struct address address;

	if (!text || address_parse(text, &address) < 0)
		return NULL;
	return registry_find_address(page->agent->registry, &address);
}

static void name_interface(const struct page *page, json_t *entry)
{
	uint32_t ifindex = (uint32_t)json_integer_value(json_object_get(entry, "ifindex"));
	const char *name =
		ifindex ? page->resolver.interface(ifindex, page->resolver.userdata) : NULL;

	if (name && !json_is_string(json_object_get(entry, "interface")))
		json_object_set_new(entry, "interface", json_string(name));
}

static void name_entry(const struct page *page, json_t *entry)
{
	const struct workload *workload = name_address(page, entry);

	name_rule(page->agent, entry);
	name_interface(page, entry);
	if (!workload)
		workload = owner_of(page->agent,
			(uint32_t)json_integer_value(json_object_get(entry, "ifindex")));
	if (!workload)
		return;
	json_object_set_new(entry, "workload", json_string(workload->name));
	json_object_set_new(entry, "namespace", json_string(workload->namespace));
}

static bool is_of(const json_t *entry, const char *reference)
{
	const char *name = json_string_value(json_object_get(entry, "workload"));
	const char *namespace = json_string_value(json_object_get(entry, "namespace"));
	const char *slash = strchr(reference, '/');
	size_t length = slash ? (size_t)(slash - reference) : 0;

	if (!name || !namespace)
		return false;
	if (!slash)
		return !strcmp(name, reference);
	return !strncmp(namespace, reference, length) && !namespace[length] &&
	       !strcmp(name, slash + 1);
}

/* --- one page -----------------------------------------------------------------------------------
 */

static void fail(struct page *page)
{
	page->result = error_nomem(page->error);
}

static void on_entry(json_t *entry, void *userdata)
{
	struct page *page = userdata;

	if (!entry) {
		fail(page);
		return;
	}
	name_entry(page, entry);
	if (page->workload && !is_of(entry, page->workload))
		json_decref(entry);
	else if (json_array_append_new(page->entries, entry) < 0)
		fail(page);
}

static void on_flow(const struct dump_flow *flow, void *userdata)
{
	struct page *page = userdata;
	json_t *record;
	int r = flow_record(page->agent->flows, &flow->event, page->filter, &record);

	if (r < 0)
		fail(page);
	if (r <= 0)
		return;
	json_object_set_new(
		record, "idle_seconds", json_real((double)flow->idle_ns / NS_PER_SECOND));
	if (flow->state)
		json_object_set_new(record, "state", json_string(flow->state));
	if (flow->timeout_ns)
		json_object_set_new(record, "timeout_seconds",
			json_real((double)flow->timeout_ns / NS_PER_SECOND));
	if (flow->generation)
		json_object_set_new(record, "generation", json_integer(flow->generation));
	if (flow->generation)
		json_object_set_new(record, "current", json_boolean(flow->is_current));
	if (json_array_append_new(page->entries, record) < 0)
		fail(page);
}

static bool is_flows(enum dataplane_table table)
{
	return table == DATAPLANE_CONNECTIONS || table == DATAPLANE_DENIALS;
}

static int read_page(struct page *page, enum dataplane_table table, struct dump_cursor *cursor)
{
	struct agent *agent = page->agent;
	const struct dump dump = {
		.table = table,
		.ir = agent->ir,
		.flow = on_flow,
		.entry = on_entry,
		.userdata = page,
	};
	int r;

	if (table == DATAPLANE_INVESTIGATORS || table == DATAPLANE_DENY_RANGES)
		r = xdp_dump(agent->early, &dump, cursor, page->error);
	else
		r = agent->plane_ops->dump(agent->plane, &dump, cursor, page->error);
	return page->result < 0 ? page->result : r;
}

/* --- the request --------------------------------------------------------------------------------
 */

struct wish {
	struct page *page;
	bool flows;
};

static bool add_argument(const char *key, const char *value, void *userdata)
{
	const struct wish *wish = userdata;
	struct page *page = wish->page;

	if (!strcmp(key, "after"))
		return true;
	if (wish->flows)
		page->result = flow_filter_set(&page->filter, key, value, page->error);
	else if (!strcmp(key, "workload"))
		page->workload = value;
	else
		page->result = error_set(
			page->error, -EINVAL, "%s: this table is filtered by workload alone", key);
	return page->result >= 0;
}

static int find_table(const char *name, enum dataplane_table *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(table_names); i++) {
		if (strcmp(name, table_names[i]) != 0)
			continue;
		*ret = (enum dataplane_table)i;
		return 0;
	}
	return -ENOENT;
}

void api_dataplane(struct control_request *request, void *userdata)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct agent *agent = userdata;
	_cleanup_(page_clear) struct page page = {
		.agent = agent,
		.resolver = names_resolver(agent),
		.entries = json_array(),
		.error = &error,
	};
	const char *name = control_parameter(request, "table");
	const char *after = control_parameter(request, "after");
	char text[DUMP_CURSOR_TEXT_MAX];
	struct dump_cursor cursor = {0};
	enum dataplane_table table;
	int r;

	if (find_table(name, &table) < 0) {
		control_reply_error(request, 404, "no data plane has a table %s", name);
		return;
	}
	control_query(request, add_argument, &(struct wish){&page, is_flows(table)});
	if (page.result < 0 || (after && dump_cursor_parse(after, &cursor) < 0)) {
		control_reply_error(request, 400, "%s",
			page.result < 0 ? error_message(&error) : "after: no place in a table");
		return;
	}
	r = read_page(&page, table, &cursor);
	if (r < 0) {
		control_reply_error(
			request, r == -EOPNOTSUPP ? 404 : 503, "%s", error_message(&error));
		return;
	}
	control_reply(request, 200,
		json_pack("{s:s, s:s, s:O, s:s?}", "table", name, "dataplane",
			agent->plane_ops->name, "entries", page.entries, "next",
			r ? dump_cursor_format(&cursor, text) : NULL));
}
