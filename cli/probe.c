/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe.h"

#include "text.h"

#include <netinet/in.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	uint8_t protocol;
	bool has_ports;
} protocols[] = {
	{"TCP", IPPROTO_TCP, true},
	{"UDP", IPPROTO_UDP, true},
	{"SCTP", IPPROTO_SCTP, true},
	{"ICMP", IPPROTO_ICMP, false},
	{"ICMPv6", IPPROTO_ICMPV6, false},
};

static bool parse_number(const char *text, unsigned long max, unsigned long *ret)
{
	if (!*text || strlen(text) > 5 || strspn(text, "0123456789") != strlen(text))
		return false;
	*ret = strtoul(text, NULL, 10);
	return *ret <= max;
}

/* RFC 6335, 5.1, in the lower case that Kubernetes demands. */
static bool is_port_name(const char *text)
{
	return strlen(text) <= 15 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(text) &&
	       strspn(text, "0123456789-") < strlen(text);
}

struct probe probe_parse(const struct settings *settings, const char *text)
{
	const char *slash = strchr(text, '/');
	struct probe probe = {0};
	unsigned long number = 0;
	size_t i = 0;

	while (slash && i < ARRAY_SIZE(protocols) &&
		(strlen(protocols[i].name) != (size_t)(slash - text) ||
			strncasecmp(protocols[i].name, text, (size_t)(slash - text)) != 0))
		i++;
	if (!slash || !slash[1] || i == ARRAY_SIZE(protocols))
		usage_error(settings,
			"'%s' is no probe, expected PROTOCOL/PORT like TCP/80, UDP/53, TCP/http or ICMP/8",
			text);
	probe.protocol_name = protocols[i].name;
	probe.protocol = protocols[i].protocol;
	if (parse_number(slash + 1, protocols[i].has_ports ? 65535 : 255, &number))
		probe.number = (uint16_t)(protocols[i].has_ports ? number : number << 8);
	else if (protocols[i].has_ports && is_port_name(slash + 1))
		probe.named = true;
	else
		usage_error(settings, "'%s': %s", text,
			protocols[i].has_ports
				? "a port is 0 to 65535, or a name of at most 15 of a-z, 0-9 and -"
				: "an ICMP type is 0 to 255");
	probe.port = text_format("%s", slash + 1);
	return probe;
}

void probe_clear(struct probe *probe)
{
	free(probe->port);
}

static bool resolve(const struct probe *probe, const struct offline_end *to, uint16_t *ret)
{
	if (!probe->named) {
		*ret = probe->number;
		return true;
	}
	for (size_t i = 0; to->workload && i < to->workload->ports_count; i++) {
		const struct model_port *port = &to->workload->ports[i];

		if (port->protocol != probe->protocol || strcmp(port->name, probe->port) != 0)
			continue;
		*ret = port->port;
		return true;
	}
	return false;
}

bool probe_judge(const struct probe *probe, const struct offline *offline,
	const struct offline_end *from, const struct offline_end *to, bool ipv4,
	struct probe_result *ret)
{
	const struct address *source = offline_address(from, ipv4);
	const struct address *destination = offline_address(to, ipv4);
	struct probe_result result = {0};

	if (!source || !destination)
		return false;
	/* Each family has its own ICMP. */
	if ((probe->protocol == IPPROTO_ICMP && !ipv4) ||
		(probe->protocol == IPPROTO_ICMPV6 && ipv4))
		return false;
	result.query.source = *source;
	result.query.destination = *destination;
	result.query.protocol = probe->protocol;
	result.unresolved = !resolve(probe, to, &result.query.port);
	if (!result.unresolved)
		result.evaluation = evaluate(offline->ir, &result.query);
	*ret = result;
	return true;
}

json_t *probe_result_to_json(const struct probe_result *result, const struct offline_end *from,
	const struct offline_end *to, bool ipv4)
{
	const struct evaluation *evaluation = &result->evaluation;
	const char *unresolved = result->unresolved ? "unresolved" : NULL;

	return must(json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "from", from->full_name, "to",
		to->full_name, "family", ipv4 ? "ipv4" : "ipv6", "egress",
		unresolved ? unresolved : verdict_name(evaluation->egress.verdict), "ingress",
		unresolved ? unresolved : verdict_name(evaluation->ingress.verdict), "verdict",
		unresolved ? unresolved : verdict_name(evaluation->verdict)));
}
