/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/resolve.h"

static void name_ends(const struct flow_resolver *resolver, struct record *record)
{
	const struct flow_event *event = &record->event;
	bool outward = record->source && record->source->is_workload;
	const struct name *workload = outward ? record->source : record->destination;
	struct name **end = outward ? &record->destination : &record->source, *named;

	if (!workload || !workload->is_workload || !*end || (*end)->is_workload)
		return;
	named = resolver->named(workload, outward ? &event->destination : &event->source, *end,
		event->start_ns, resolver->userdata);
	if (!named)
		return;
	name_release(*end);
	*end = named;
}

void resolve_observed(
	const struct flow_resolver *resolver, struct name_pool *pool, struct record *record)
{
	if (resolver->named)
		name_ends(resolver, record);
	if (resolver->observed && record->event.type != FLOW_DENIED)
		resolver->observed(&record->event, pool, &record->observed, resolver->userdata);
}
