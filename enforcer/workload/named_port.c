/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workload/named_port.h"

#include "base/cleanup.h"
#include "policies/ports.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static bool is_taken(const struct workload *workload, const char *name, uint8_t protocol)
{
	for (size_t i = 0; i < workload->ports_count; i++)
		if (workload->ports[i].protocol == protocol &&
			strcmp(workload->ports[i].name, name) == 0)
			return true;
	return false;
}

static const char *find_problem(
	const struct workload *workload, const char *name, const struct policy_port *port)
{
	if (port->name || port->first != port->last || port->first == 0 ||
		(port->protocol != IPPROTO_TCP && port->protocol != IPPROTO_UDP &&
			port->protocol != IPPROTO_SCTP))
		return "expected one port of tcp, udp or sctp, as in tcp/8080";
	if (is_taken(workload, name, port->protocol))
		return "the name is given twice";
	if (workload->ports_count == NAMED_PORTS_MAX)
		return "too many named ports";
	return NULL;
}

int named_port_add(
	struct workload *workload, const char *name, const char *text, char **ret_problem)
{
	const char *problem = port_name_problem(name);
	struct policy_port port = {0};
	int r;

	if (!problem) {
		r = port_parse(text, &port, ret_problem);
		if (r < 0)
			return r == -EINVAL ? 0 : r;
		problem = find_problem(workload, name, &port);
		free(port.name);
	}
	if (problem) {
		*ret_problem = strdup(problem);
		return *ret_problem ? 0 : -ENOMEM;
	}
	return workload_add_port(workload, name, port.protocol, port.first);
}
