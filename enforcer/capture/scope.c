/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/scope.h"

struct sides {
	bool source[2]; /* is of the view's one end and of the other */
	bool destination[2];
};

/* By address, but at a workload's interface it is that workload which sends or gets the packet,
 * whatever addresses say: it may lie, and many get what is for nobody alone. */
static struct sides sides_of(const struct view *view, const struct view_interface *interface,
	enum view_place place, const struct capture_packet *packet)
{
	const bool is_here = interface && interface->workload;
	const bool is_sent =
		place == VIEW_LEAVES || (place == VIEW_PASSED && is_here && interface->netns);
	struct sides sides = {0};

	for (int end = 0; end < 2; end++) {
		bool is_wanted = is_here && (interface->is_wanted[end] || view->ends[end].is_any);

		sides.source[end] = is_here && is_sent
					    ? is_wanted
					    : view_end_has(&view->ends[end], packet->ends.source);
		sides.destination[end] = is_here && !is_sent ? is_wanted
							     : view_end_has(&view->ends[end],
								       packet->ends.destination);
	}
	return sides;
}

static bool is_between(
	const struct scope *scope, const struct sides *sides, const struct judgement *judgement)
{
	bool there = sides->source[0] && sides->destination[1];
	bool back = sides->source[1] && sides->destination[0];

	if (!scope->is_directed)
		return there || back;
	return judgement->by_originator ? there : back;
}

static bool is_on_port(const struct scope *scope, const struct capture_packet *packet,
	const struct judgement *judgement)
{
	const struct packet_ends *ends = packet->has_carried ? &packet->carried : &packet->ends;
	/* The carried packet was sent by the one who gets the error. */
	bool by_originator =
		packet->has_carried ? !judgement->by_originator : judgement->by_originator;

	if (!packet_ends_have_ports(ends))
		return false;
	return (by_originator ? ends->destination_port : ends->source_port) == scope->port;
}

bool scope_has(const struct scope *scope, const struct view *view,
	const struct view_interface *interface, enum view_place place,
	const struct capture_packet *packet, const struct judgement *judgement)
{
	bool is_refused = judgement->verdict == FLOW_REFUSED;
	struct sides sides;

	if (place == VIEW_ELSEWHERE || (place == VIEW_ARRIVES && !is_refused) ||
		(scope->only_refused && !is_refused))
		return false;
	if (scope->has_port && !is_on_port(scope, packet, judgement))
		return false;
	sides = sides_of(view, interface, place, packet);
	return scope->is_pair ? is_between(scope, &sides, judgement)
			      : sides.source[0] || sides.destination[0];
}
