/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line of a flow log that anybody may have written, as segctl flows --read takes it: through
 * every filter, and into every form of one record a line. What comes out is JSON again. */
#include "export.h"
#include "record.h"

#include "base/cleanup.h"
#include "flow/flow_filter.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct flow_filter *filter;

static void make_filter(void)
{
	static const char *const filters[][2] = {{"from", "web"}, {"to", "api.example.org"},
		{"workload", "shop/db"}, {"namespace", "shop"}, {"label", "app=db"}, {"port", "80"},
		{"protocol", "tcp"}, {"verdict", "denied"}, {"reason", "policy_denied"},
		{"rule", "shop/db"}, {"cidr", "10.0.0.0/8"}, {"since", "2026-01-01T00:00:00Z"}};

	for (size_t i = 0; !filter || i < ARRAY_SIZE(filters); i++)
		if (flow_filter_set(&filter, filters[i][0], filters[i][1], NULL) < 0)
			abort();
}

static void check_export(json_t *exported)
{
	char *text = json_dumps(exported, JSON_COMPACT);

	if (!json_is_object(exported) || !text)
		abort();
	free(text);
	json_decref(exported);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *record = json_loadb((const char *)data, size, 0, NULL);

	if (!filter)
		make_filter();
	if (json_is_object(record)) {
		flow_filter_matches(filter, record);
		flow_filter_matches(NULL, record);
		check_export(export_ocsf(record));
		check_export(export_ecs(record));
		free(record_why(record));
		free(record_port(record));
		free(record_end_full(json_object_get(record, "source")));
	}
	json_decref(record);
	return 0;
}
