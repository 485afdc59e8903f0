/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/ports.h"

#include "base/cleanup.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PORT_NAME_MAX 15

struct named_number {
	const char *name;
	unsigned int number;
};

/* RFC 792, RFC 1256 */
static const struct named_number icmp_types[] = {
	{"echo-reply", 0},
	{"destination-unreachable", 3},
	{"redirect", 5},
	{"echo-request", 8},
	{"router-advertisement", 9},
	{"router-solicitation", 10},
	{"time-exceeded", 11},
	{"parameter-problem", 12},
	{"timestamp-request", 13},
	{"timestamp-reply", 14},
	{NULL, 0},
};

/* RFC 4443, RFC 4861 */
static const struct named_number icmpv6_types[] = {
	{"destination-unreachable", 1},
	{"packet-too-big", 2},
	{"time-exceeded", 3},
	{"parameter-problem", 4},
	{"echo-request", 128},
	{"echo-reply", 129},
	{"router-solicitation", 133},
	{"router-advertisement", 134},
	{"neighbour-solicitation", 135},
	{"neighbour-advertisement", 136},
	{NULL, 0},
};

static const struct protocol {
	const char *name;
	uint8_t number;
	const struct named_number *types; /* NULL: it has ports */
} protocols[] = {
	{"tcp", IPPROTO_TCP, NULL},
	{"udp", IPPROTO_UDP, NULL},
	{"sctp", IPPROTO_SCTP, NULL},
	{"icmp", IPPROTO_ICMP, icmp_types},
	{"icmpv6", IPPROTO_ICMPV6, icmpv6_types},
};

const char *protocol_name(uint8_t protocol)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (protocols[i].number == protocol)
			return protocols[i].name;
	return NULL;
}

static int refuse(char **ret_problem, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int refuse(char **ret_problem, const char *format, ...)
{
	va_list arguments;
	char *problem;
	int r;

	va_start(arguments, format);
	r = vasprintf(&problem, format, arguments);
	va_end(arguments);
	if (r < 0)
		return -ENOMEM;
	*ret_problem = problem;
	return -EINVAL;
}

const char *port_name_problem(const char *name)
{
	size_t length = strlen(name);

	if (!length || length > PORT_NAME_MAX)
		return "must have 1 to 15 characters";
	if (name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")])
		return "may hold only lower case letters, digits and '-'";
	if (!name[strspn(name, "0123456789-")])
		return "must hold a letter";
	if (name[0] == '-' || name[length - 1] == '-' || strstr(name, "--"))
		return "must not begin or end with '-' or hold it twice in a row";
	return NULL;
}

/* Decimal digits up to one of the characters in end, no sign, no leading zero. */
static bool take_number(const char **at, const char *end, unsigned int maximum, unsigned int *ret)
{
	size_t digits = strspn(*at, "0123456789");
	unsigned int value = 0;

	if (!digits || digits > 5 || (digits > 1 && **at == '0'))
		return false;
	if ((*at)[digits] && !strchr(end, (*at)[digits]))
		return false;
	for (size_t i = 0; i < digits; i++)
		value = value * 10 + (unsigned int)((*at)[i] - '0');
	if (value > maximum)
		return false;
	*at += digits;
	*ret = value;
	return true;
}

static int parse_numbers(const char *text, struct policy_port *ret, char **ret_problem)
{
	const char *at = text;
	unsigned int first, last;

	if (!take_number(&at, "-", UINT16_MAX, &first) || !first)
		return refuse(ret_problem, "port \"%s\" must be in 1-65535", text);
	last = first;
	if (*at == '-') {
		at++;
		if (!take_number(&at, "", UINT16_MAX, &last) || !last)
			return refuse(ret_problem,
				"the end of port range \"%s\" must be in 1-65535", text);
		ret->range = true;
	}
	if (last < first)
		return refuse(ret_problem, "port range \"%s\" ends before it begins; write %u-%u",
			text, last, first);
	ret->first = (uint16_t)first;
	ret->last = (uint16_t)last;
	return 0;
}

/* A type by name or number, and perhaps a code: "echo-request", "3", "3/4". */
static int parse_type(const char *text, const struct named_number *types, struct policy_port *ret,
	char **ret_problem)
{
	size_t length = strcspn(text, "/");
	const char *at = text;
	unsigned int type, code;
	bool found = take_number(&at, "/", UINT8_MAX, &type);

	for (; !found && types->name; types++) {
		found = strlen(types->name) == length && !strncmp(types->name, text, length);
		type = types->number;
	}
	if (!found)
		return refuse(ret_problem,
			"\"%.*s\" is no ICMP type; expected a name such as echo-request, or 0-255",
			(int)length, text);
	ret->first = (uint16_t)(type << 8);
	ret->last = (uint16_t)(type << 8 | UINT8_MAX);
	if (!text[length])
		return 0;
	at = text + length + 1;
	if (!take_number(&at, "", UINT8_MAX, &code))
		return refuse(ret_problem, "ICMP code \"%s\" must be in 0-255", text + length + 1);
	ret->first = ret->last = (uint16_t)(type << 8 | code);
	return 0;
}

static int parse_name(const char *text, struct policy_port *ret, char **ret_problem)
{
	const char *problem = port_name_problem(text);
	char *name;

	if (problem)
		return refuse(ret_problem, "port name \"%s\" %s", text, problem);
	name = strdup(text);
	if (!name)
		return -ENOMEM;
	ret->name = name;
	return 0;
}

int port_parse(const char *text, struct policy_port *ret, char **ret_problem)
{
	size_t length = strcspn(text, "/");
	const struct protocol *protocol = NULL;
	struct policy_port port = {.last = UINT16_MAX};
	const char *rest = text + length + 1;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(protocols) && !protocol; i++)
		if (strlen(protocols[i].name) == length &&
			!strncasecmp(protocols[i].name, text, length))
			protocol = &protocols[i];
	if (!protocol)
		return refuse(ret_problem,
			"\"%s\" does not begin with a protocol; expected tcp, udp, sctp, icmp or "
			"icmpv6, as in tcp/5432, tcp/8000-8100, udp/dns, icmp/echo-request",
			text);
	port.protocol = protocol->number;
	if (!text[length])
		r = 0;
	else if (protocol->types)
		r = parse_type(rest, protocol->types, &port, ret_problem);
	else if (!rest[strspn(rest, "0123456789-")])
		r = parse_numbers(rest, &port, ret_problem);
	else
		r = parse_name(rest, &port, ret_problem);
	if (r < 0)
		return r;
	*ret = port;
	return 0;
}

/* NULL: it has a number only. */
static const char *type_name(const struct named_number *types, unsigned int type)
{
	while (types->name && types->number != type)
		types++;
	return types->name;
}

static int format_type(const struct protocol *protocol, const struct policy_port *port, char **ret)
{
	unsigned int type = port->first >> 8, code = port->first & UINT8_MAX;
	const char *name = type_name(protocol->types, type);
	int r;

	if (port->first >> 8 != port->last >> 8)
		r = asprintf(ret, "%s/%u-%u", protocol->name, type, (unsigned int)port->last >> 8);
	else if (port->first != port->last)
		r = name ? asprintf(ret, "%s/%s", protocol->name, name)
			 : asprintf(ret, "%s/%u", protocol->name, type);
	else
		r = name ? asprintf(ret, "%s/%s/%u", protocol->name, name, code)
			 : asprintf(ret, "%s/%u/%u", protocol->name, type, code);
	return r;
}

char *port_format(const struct policy_port *port)
{
	const struct protocol *protocol = NULL;
	char *text;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(protocols) && !protocol; i++)
		if (protocols[i].number == port->protocol)
			protocol = &protocols[i];
	if (!protocol)
		return NULL;
	if (port->name)
		r = asprintf(&text, "%s/%s", protocol->name, port->name);
	else if (port->first == 0 && port->last == UINT16_MAX)
		r = asprintf(&text, "%s", protocol->name);
	else if (protocol->types)
		r = format_type(protocol, port, &text);
	else if (port->first == port->last)
		r = asprintf(&text, "%s/%u", protocol->name, port->first);
	else
		r = asprintf(&text, "%s/%u-%u", protocol->name, port->first, port->last);
	return r < 0 ? NULL : text;
}
