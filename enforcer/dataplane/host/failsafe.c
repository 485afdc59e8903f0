/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/host/failsafe.h"

#include "base/cleanup.h"
#include "policies/policy.h"
#include "policies/ports.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static bool take_word(const char **text, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(*text, word, length) != 0)
		return false;
	*text += length;
	return true;
}

static bool has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

static int parse_port(const char *text, struct failsafe_port *ret, struct error *error)
{
	_cleanup_free_ char *problem = NULL;
	struct policy_port port = {0};
	enum direction direction = DIRECTION_INGRESS;
	bool single;
	int r;

	if (take_word(&text, "out:"))
		direction = DIRECTION_EGRESS;
	else
		(void)take_word(&text, "in:");
	r = port_parse(text, &port, &problem);
	if (r == -ENOMEM)
		return error_nomem(error);
	if (r < 0)
		return error_set(error, r, "%s", problem);
	single = !port.name && port.first == port.last;
	free(port.name);
	if (!single || !has_ports(port.protocol))
		return error_set(error, -EINVAL,
			"\"%s\" is no single port of TCP, UDP or SCTP, such as tcp/22 or out:udp/53",
			text);
	*ret = (struct failsafe_port){direction, port.protocol, port.first};
	return 0;
}

int failsafe_parse(const char *text, struct failsafe *ret, struct error *error)
{
	_cleanup_free_ char *copy = strdup(text);
	struct failsafe failsafe = {0};
	char *next = copy, *word;
	int r;

	if (!copy)
		return error_nomem(error);
	while (strcmp(text, "none") && (word = strsep(&next, ","))) {
		if (failsafe.count == FAILSAFE_MAX)
			return error_set(error, -EINVAL, "more than %d ports", FAILSAFE_MAX);
		r = parse_port(word, &failsafe.ports[failsafe.count], error);
		if (r < 0)
			return r;
		failsafe.count++;
	}
	*ret = failsafe;
	return 0;
}

const char *failsafe_format(const struct failsafe *failsafe, char text[static FAILSAFE_TEXT_MAX])
{
	size_t used = 0;

	snprintf(text, FAILSAFE_TEXT_MAX, "none");
	for (size_t i = 0; i < failsafe->count; i++) {
		const struct failsafe_port *port = &failsafe->ports[i];

		used += (size_t)snprintf(text + used, FAILSAFE_TEXT_MAX - used, "%s%s%s/%u",
			i ? "," : "", port->direction == DIRECTION_EGRESS ? "out:" : "",
			protocol_name(port->protocol), port->port);
	}
	return text;
}

bool failsafe_covers(
	const struct failsafe *failsafe, enum direction direction, uint8_t protocol, uint16_t port)
{
	for (size_t i = 0; i < failsafe->count; i++) {
		const struct failsafe_port *item = &failsafe->ports[i];

		if (item->direction == direction && item->protocol == protocol &&
			item->port == port)
			return true;
	}
	return false;
}
