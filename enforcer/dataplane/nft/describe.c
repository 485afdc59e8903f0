/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/describe.h"

#include "base/cleanup.h"
#include "dataplane/nft/layout.h"
#include "dataplane/nft/listing.h"
#include "dataplane/nft/netlink.h"
#include "dataplane/nft/refusal.h"
#include "dataplane/nft/sysctls.h"

static json_t *describe_attached(const struct attached_list *attached)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < attached->count; i++)
		json_array_append_new(list,
			json_pack("{s:s, s:s}", "interface", attached->items[i].name, "mechanism",
				attached->items[i].guard ? "netdev guard" : "nft"));
	return list;
}

json_t *describe_counters(const char *table)
{
	_cleanup_(netlink_closep) struct mnl_socket *socket = NULL;
	json_t *counters = json_object();
	uint64_t packets, bytes;

	if (netlink_open(&socket, NULL) < 0)
		return counters;
	for (size_t i = 0; counters && i < REFUSAL_REASONS; i++) {
		const char *name = refusal_reason_name(refusal_reason(i));

		if (!listing_counter(socket, table, name, &packets, &bytes))
			json_object_set_new(counters, name,
				json_pack("{s:I, s:I}", "packets", (json_int_t)packets, "bytes",
					(json_int_t)bytes));
	}
	return counters;
}

static json_t *describe_limits(void)
{
	json_t *limits = json_array();

	if (!limits)
		return NULL;
	if (!sysctls_bridge_is_filtered())
		json_array_append_new(limits, json_string(SYSCTLS_BLIND));
	return limits;
}

json_t *describe_dataplane(const struct table *table, const struct connections *connections,
	const struct refusals *refusals, const struct attached_list *attached)
{
	struct table_statistics statistics = table_statistics(table);
	json_int_t used = (json_int_t)connections_count(connections);
	json_t *counters = describe_counters(LAYOUT_TABLE);

	return json_pack(
		"{s:I, s:I, s:o, s:o, s:{s:I, s:I, s:I}, s:I, s:{s:{s:I, s:I}, s:{s:I, s:I}, "
		"s:{s:I}, s:{s:I}, s:{s:I}}, s:o}",
		"generation", (json_int_t)statistics.generation, "connections", used, "attached",
		describe_attached(attached), "counters", counters, "losses", "connection_events",
		(json_int_t)connections_lost(connections), "denial_aggregates",
		(json_int_t)refusals_overflow(refusals), "denial_details",
		(json_int_t)refusals_log_lost(refusals), "inherited_refusals",
		(json_int_t)refusals_inherited(refusals), "tables", "connections", "used", used,
		"size", (json_int_t)CONNECTIONS_MAX, "denials", "used",
		(json_int_t)refusals_count(refusals), "size",
		(json_int_t)REFUSAL_SETS * REFUSAL_SET_SIZE, "chains", "used",
		(json_int_t)statistics.chains, "sets", "used", (json_int_t)statistics.sets,
		"elements", "used", (json_int_t)statistics.elements, "limits", describe_limits());
}
