/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/orientation.h"

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
	const struct evaluation evaluations[static 2], enum client_end client)
{
	bool both = is_allowed(&evaluations[0]) && is_allowed(&evaluations[1]);
	int chosen;

	if (client != CLIENT_UNKNOWN)
		return client == CLIENT_DESTINATION;
	if (both)
		return queries[1].port < queries[0].port;
	chosen = is_allowed(&evaluations[1]);
	if (is_allowed(&evaluations[chosen]) && !is_named(&evaluations[chosen]))
		chosen = !chosen;
	return chosen;
}
