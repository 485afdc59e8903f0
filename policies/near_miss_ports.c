/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/near_miss_conditions.h"

#include "policies/ports.h"
#include "policies/requirement.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define PORT_TEXT_MAX 64

enum weight {
	WEIGHT_NAME_SLIP = 10,
	WEIGHT_OFF_BY_ONE = 10,
	WEIGHT_PROTOCOL = 20,
	WEIGHT_NAME = 30,
	WEIGHT_NUMBER = 40,
};

static const char *word(uint8_t protocol)
{
	const char *name = protocol_name(protocol);

	return name ? name : "another protocol";
}

static const char *format_port(const struct policy_port *port, char text[static PORT_TEXT_MAX])
{
	const char *protocol = word(port->protocol);
	bool icmp = port->protocol == IPPROTO_ICMP || port->protocol == IPPROTO_ICMPV6;

	if (port->name)
		snprintf(text, PORT_TEXT_MAX, "%s/%s", protocol, port->name);
	else if (port->first == 0 && port->last == UINT16_MAX)
		snprintf(text, PORT_TEXT_MAX, "%s", protocol);
	else if (icmp && port->first == port->last)
		snprintf(text, PORT_TEXT_MAX, "%s/%u/%u", protocol,
			(unsigned int)(port->first >> 8), (unsigned int)(port->first & UINT8_MAX));
	else if (icmp)
		snprintf(text, PORT_TEXT_MAX, "%s/%u", protocol, (unsigned int)(port->first >> 8));
	else if (port->first == port->last)
		snprintf(text, PORT_TEXT_MAX, "%s/%u", protocol, port->first);
	else
		snprintf(text, PORT_TEXT_MAX, "%s/%u-%u", protocol, port->first, port->last);
	return text;
}

static const char *format_query(const struct flow_query *query, char text[static PORT_TEXT_MAX])
{
	const struct policy_port port = {
		.protocol = query->protocol, .first = query->port, .last = query->port};

	return format_port(&port, text);
}

static bool in_range(const struct policy_port *port, uint16_t number)
{
	return port->first <= number && number <= port->last;
}

static bool off_by_one(const struct policy_port *port, uint16_t number)
{
	return number + 1 == port->first || port->last + 1 == number;
}

static void miss_protocol(
	const struct view *view, const struct policy_port *port, struct misses *misses)
{
	char rule[PORT_TEXT_MAX], query[PORT_TEXT_MAX];

	misses_add(misses, UNMET_PROTOCOL, false, WEIGHT_PROTOCOL,
		"the connection is %s, the rule has protocol %s (%s)",
		format_query(view->query, query), word(port->protocol), format_port(port, rule));
}

static void check_number(
	const struct view *view, const struct policy_port *port, struct misses *misses)
{
	uint16_t number = view->query->port;
	char rule[PORT_TEXT_MAX], query[PORT_TEXT_MAX];
	bool near = port->range && off_by_one(port, number);

	if (port->protocol != view->query->protocol)
		miss_protocol(view, port, misses);
	if (!in_range(port, number))
		misses_add(misses, UNMET_PORT, false, near ? WEIGHT_OFF_BY_ONE : WEIGHT_NUMBER,
			"the connection is %s, the rule has %s%s", format_query(view->query, query),
			format_port(port, rule), near ? ", which is off by one" : "");
}

/* What a workload calls a port; NULL: nothing. */
static const struct model_port *find_port(
	const struct model_workload *workload, uint8_t protocol, const char *name, int number)
{
	for (size_t i = 0; i < workload->ports_count; i++) {
		const struct model_port *port = &workload->ports[i];

		if (port->protocol == protocol && (!name || strcmp(port->name, name) == 0) &&
			(number < 0 || port->port == number))
			return port;
	}
	return NULL;
}

static void miss_name(const struct view *view, const struct policy_port *port,
	const struct model_workload *destination, const char *destination_name,
	struct misses *misses)
{
	const struct flow_query *query = view->query;
	const struct model_port *meant = find_port(destination, query->protocol, NULL, query->port);
	const struct model_port *same = find_port(destination, port->protocol, port->name, -1);
	const char *protocol = word(port->protocol);

	if (same)
		misses_add(misses, UNMET_PORT, false, WEIGHT_NUMBER,
			"the rule has %s/%s, which is %s/%u at %s, the connection goes to %u",
			protocol, port->name, protocol, same->port, destination_name, query->port);
	else if (meant)
		misses_add(misses, UNMET_PORT_NAME, false,
			requirement_words_alike(meant->name, port->name) ? WEIGHT_NAME_SLIP
									 : WEIGHT_NAME,
			"the rule names the port \"%s\", %s calls %s/%u \"%s\"", port->name,
			destination_name, protocol, meant->port, meant->name);
	else
		misses_add(misses, UNMET_PORT_NAME, false, WEIGHT_NAME,
			"the rule names the port \"%s\", %s has no %s port of that name",
			port->name, destination_name, protocol);
}

static void check_name(
	const struct view *view, const struct policy_port *port, struct misses *misses)
{
	const struct flow_query *query = view->query;
	bool ingress = view->direction == DIRECTION_INGRESS;
	const struct model_workload *destination = ingress ? view->subject : view->peer;

	if (!destination) {
		misses_add(misses, UNMET_PORT_NAME, false, WEIGHT_NAME,
			"the rule names the port \"%s\", %s is no workload and has no names for "
			"ports",
			port->name, view->peer_name);
		return;
	}
	if (find_port(destination, port->protocol, port->name, query->port) &&
		port->protocol == query->protocol)
		return;
	if (port->protocol != query->protocol)
		miss_protocol(view, port, misses);
	if (port->protocol == query->protocol ||
		!find_port(destination, query->protocol, port->name, query->port))
		miss_name(view, port, destination, ingress ? view->subject_name : view->peer_name,
			misses);
}

static void check_port(
	const struct view *view, const struct policy_port *port, struct misses *misses)
{
	if (port->name)
		check_name(view, port, misses);
	else
		check_number(view, port, misses);
}

void check_ports(const struct view *view, const struct policy_rule *rule, struct misses *misses)
{
	struct misses nearest = {0};
	size_t chosen = 0;

	if (!rule->ports_count)
		return;
	for (size_t i = 0; i < rule->ports_count; i++) {
		struct misses trial = {0};

		check_port(view, &rule->ports[i], &trial);
		if (i && misses_compare(&trial, &nearest) >= 0)
			continue;
		nearest = trial;
		chosen = i;
	}
	check_port(view, &rule->ports[chosen], misses);
}
