/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/orientation.h"

#include "xdp/client_port.h"

static bool is_allowed(const struct evaluation *evaluation)
{
	return evaluation->verdict == VERDICT_ALLOW;
}

static bool is_named(const struct evaluation *evaluation)
{
	return evaluation->egress.rule >= IR_RULE_FIRST ||
	       evaluation->ingress.rule >= IR_RULE_FIRST;
}

int orientation_choose(const struct flow_query queries[static 2],
	const struct evaluation evaluations[static 2], bool lower_port_serves)
{
	enum client_end client = client_port_tell(queries[1].port, queries[0].port);
	bool both = is_allowed(&evaluations[0]) && is_allowed(&evaluations[1]);
	int chosen;

	if (client != CLIENT_UNKNOWN)
		chosen = client == CLIENT_DESTINATION;
	else if (lower_port_serves || both)
		chosen = queries[1].port < queries[0].port;
	else
		chosen = is_allowed(&evaluations[1]);
	if (client == CLIENT_UNKNOWN && !lower_port_serves && is_allowed(&evaluations[chosen]) &&
		!both && !is_named(&evaluations[chosen]))
		chosen = !chosen;
	return chosen;
}
