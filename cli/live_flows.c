/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flows of one edge on the live screen, newest first. */
#include "live.h"

#include "live_data.h"
#include "output.h"
#include "record.h"
#include "text.h"

#include <string.h>

static const struct live_column columns[] = {
	{"TIME", "time", "time", LIVE_TIME, 9, 0},
	{"SOURCE", "source_text", "source", LIVE_NAME, 0, 0},
	{"DESTINATION", "destination_text", NULL, LIVE_NAME, 0, 0},
	{"EVENT", "event", NULL, LIVE_TEXT, 6, 0},
	{"PACKETS", "packets_sum", "packets", LIVE_COUNT, 7, 0},
	{"BYTES", "bytes_sum", "bytes", LIVE_BYTES, 9, 0},
	{0},
};

/* "10.0.0.3:41000", "[fd00::3]:41000" */
static char *address_of(const json_t *end)
{
	const char *ip = field_text(end, "ip");
	json_int_t port = json_integer_value(json_object_get(end, "port"));

	if (!port)
		return text_format("%s", ip);
	return text_format(strchr(ip, ':') ? "[%s]:%lld" : "%s:%lld", ip, (long long)port);
}

static bool is_of(const struct live *live, const json_t *record, const json_t *edge)
{
	_cleanup_free_ char *from = live_data_end(live, json_object_get(record, "source"));
	_cleanup_free_ char *to = live_data_end(live, json_object_get(record, "destination"));

	return strcmp(from, field_text(edge, "from")) == 0 &&
	       strcmp(to, field_text(edge, "to")) == 0;
}

static json_t *make_row(const json_t *record)
{
	json_t *row = must(json_copy((json_t *)record));
	_cleanup_free_ char *source = address_of(json_object_get(record, "source"));
	_cleanup_free_ char *destination = address_of(json_object_get(record, "destination"));

	json_object_set_new(row, "source_text", json_string(source));
	json_object_set_new(row, "destination_text", json_string(destination));
	json_object_set_new(row, "packets_sum", json_real(field_sum(record, "packets")));
	json_object_set_new(row, "bytes_sum", json_real(field_sum(record, "bytes")));
	return row;
}

static json_t *rows(struct live *live)
{
	const json_t *edge = live_here(live)->row, *record;
	json_t *list = must(json_array());
	size_t i;

	json_array_foreach (json_object_get(live->flows, "flows"), i, record) {
		if (strcmp(field_text(record, "event"), "gap") != 0 && is_of(live, record, edge))
			json_array_append_new(list, make_row(record));
	}
	return list;
}

static void tell(const struct live *live, const json_t *row, char **ret_first, char **ret_second)
{
	const json_t *edge = live_here((struct live *)live)->row;
	_cleanup_free_ char *why = record_why(row);

	*ret_first = text_format("%s %s %s %s", field_text(edge, "from"), output_arrow(),
		field_text(edge, "to"), field_text(edge, "what"));
	*ret_second = text_format(
		"%s, %s: %s", field_text(row, "verdict"), field_text(row, "direction"), why);
}

const struct live_view live_flows = {
	.noun = "flows",
	.columns = columns,
	.empty = "the agent remembers no flow of this edge any more: segctl flows --since",
	.keys = "q quit  Esc back  s sort  / filter  Enter rule  p pause  arrows move",
	.rows = rows,
	.tell = tell,
	.below = &live_rule,
};
