// SPDX-License-Identifier: GPL-2.0-or-later
#include "policies_text.h"

#include "base/address.h"

#include <stdlib.h>
#include <string.h>

#define POLICIES_MAX 8
#define RULES_MAX    3
#define EXCEPT_MAX   3

static const char *const directions[2] = {"ingress", "egress"};
static const char *const peers_keys[2] = {"from", "to"};

static const char *selector(struct dice *dice)
{
	return DICE_PICK(dice, "*", "*", "a=x", "a=w", "a!=x", "b", "!b", "a in (x,z)",
		"b notin (x,w)", "a=x,b=w", "c", "a in (w,x),!c");
}

static const char *label_selector(struct dice *dice)
{
	return DICE_PICK(dice, "{}", "{}", "{matchLabels: {a: x}}", "{matchLabels: {b: w}}",
		"{matchExpressions: [{key: b, operator: DoesNotExist}]}",
		"{matchExpressions: [{key: a, operator: In, values: [x, z]}]}",
		"{matchLabels: {a: w}, matchExpressions: [{key: c, operator: NotIn, values: [v]}]}");
}

static const char *namespace_selector(struct dice *dice)
{
	return DICE_PICK(dice, "{}", "{matchLabels: {team: red}}",
		"{matchLabels: {kubernetes.io/metadata.name: n2}}",
		"{matchExpressions: [{key: env, operator: DoesNotExist}]}");
}

/* Some hold workloads, some the node, some what is outside, some each other. */
static const char *const cidrs[] = {"0.0.0.0/0", "10.0.0.0/8", "10.77.0.0/16", "10.77.0.0/24",
	"10.77.1.0/24", "10.77.0.0/29", "10.77.0.4/30", "10.77.0.2/31", "10.77.0.3/32",
	"10.77.0.1/32", "128.0.0.0/1", "192.0.2.0/24", "192.0.2.64/26", "192.0.2.70/32",
	"198.51.100.0/24", "::/0", "fc00::/7", "fd77::/48", "fd77::/64", "fd77:0:0:1::/64",
	"fd77::4/126", "fd77::2/127", "fd77::3/128", "fd77::1/128", "2000::/3", "2001:db8::/32",
	"2001:db8::/64", "2001:db8::70/128"};

static struct prefix parse_cidr(const char *text)
{
	struct prefix prefix;

	if (prefix_parse(text, &prefix) < 0)
		abort(); /* they are all written above */
	return prefix;
}

static const char *cidr(struct dice *dice)
{
	return cidrs[dice_below(dice, ARRAY_SIZE(cidrs))];
}

/* ": 10.0.0.0/8, except: [10.77.0.0/24]" */
static void write_cidr(FILE *stream, struct dice *dice)
{
	const char *text = cidr(dice);
	struct prefix outer = parse_cidr(text);
	unsigned int wanted = dice_below(dice, EXCEPT_MAX + 1);

	fprintf(stream, "{cidr: '%s', except: [", text);
	for (size_t i = dice_below(dice, ARRAY_SIZE(cidrs)); wanted && i < ARRAY_SIZE(cidrs); i++) {
		struct prefix inner = parse_cidr(cidrs[i]);

		if (!prefix_covers(&outer, &inner) || outer.length == inner.length)
			continue;
		fprintf(stream, "'%s', ", cidrs[i]);
		wanted--;
	}
	fputs("]}", stream);
}

static void write_segment_peer(FILE *stream, struct dice *dice)
{
	switch (dice_below(dice, 5)) {
	case 0:
	case 1:
		write_cidr(stream, dice);
		break;
	case 2:
		fprintf(stream, "{entity: %s}", DICE_PICK(dice, "all", "host", "world"));
		break;
	case 3:
		fprintf(stream, "{workloads: '%s'}", selector(dice));
		break;
	default:
		fprintf(stream, "{workloads: '%s', namespaces: '%s'}", selector(dice),
			DICE_PICK(dice, "*", "team=red", "team!=red",
				"kubernetes.io/metadata.name=n2"));
	}
}

static const char *segment_ports(struct dice *dice)
{
	return DICE_PICK(dice, "", "", "tcp", "udp", "sctp", "tcp/80", "tcp/80-90", "tcp/81-8080",
		"udp/dns", "tcp/http", "tcp/http, udp/1-1000", "udp/http, tcp/443", "sctp/dns",
		"sctp/1000-5432, sctp/80", "tcp/1-79, tcp/91-65535", "tcp/1-65535", "icmp, icmpv6",
		"icmp/echo-request", "icmpv6/echo-request", "icmp/13, icmpv6/139", "icmp/8/0, tcp",
		"icmp/17, udp/53");
}

static void write_segment_rules(FILE *stream, struct dice *dice, int direction, bool application)
{
	fprintf(stream, ", %s: [", directions[direction]);
	for (unsigned int i = dice_below(dice, RULES_MAX + 1); i > 0; i--) {
		fprintf(stream, "\n  {%s: [", peers_keys[direction]);
		for (unsigned int k = dice_below(dice, 4); k > 0; k--) {
			write_segment_peer(stream, dice);
			fputs(", ", stream);
		}
		fprintf(stream, "], ports: [%s], action: %s, log: %s, onDeny: %s}, ",
			segment_ports(dice),
			application ? DICE_PICK(dice, "allow", "allow", "deny")
				    : DICE_PICK(dice, "allow", "deny", "pass"),
			DICE_PICK(dice, "true", "false"), DICE_PICK(dice, "drop", "reject"));
	}
	fputc(']', stream);
}

static void write_segment_policy(FILE *stream, struct dice *dice, unsigned int index)
{
	const char *tier = DICE_PICK(dice, "admin", "application", "application", "baseline");

	fprintf(stream,
		"---\napiVersion: segctl.io/v1\nkind: SegmentPolicy\nmetadata: {name: s%u%s}\n"
		"spec: {subject: '%s', tier: %s, priority: %u, mode: %s",
		index, DICE_PICK(dice, "", ", namespace: n1", ", namespace: n2"), selector(dice),
		tier, dice_below(dice, 3), DICE_PICK(dice, "enforce", "enforce", "audit"));
	for (int direction = 0; direction < 2; direction++)
		if (!dice_one_in(dice, 3))
			write_segment_rules(stream, dice, direction, !strcmp(tier, "application"));
	fputs("}\n", stream);
}

static void write_network_peer(FILE *stream, struct dice *dice)
{
	switch (dice_below(dice, 4)) {
	case 0:
		fprintf(stream, "{podSelector: %s}", label_selector(dice));
		break;
	case 1:
		fprintf(stream, "{namespaceSelector: %s}", namespace_selector(dice));
		break;
	case 2:
		fprintf(stream, "{namespaceSelector: %s, podSelector: %s}",
			namespace_selector(dice), label_selector(dice));
		break;
	default:
		fputs("{ipBlock: ", stream);
		write_cidr(stream, dice);
		fputc('}', stream);
	}
}

static void write_network_policy(FILE *stream, struct dice *dice, unsigned int index)
{
	fprintf(stream,
		"---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
		"metadata: {name: k%u, namespace: %s}\nspec: {podSelector: %s%s",
		index, DICE_PICK(dice, "n1", "n2", "default"), label_selector(dice),
		DICE_PICK(dice, "", ", policyTypes: [Egress]", ", policyTypes: [Ingress]",
			", policyTypes: [Ingress, Egress]"));
	for (int direction = 0; direction < 2; direction++) {
		if (dice_one_in(dice, 3))
			continue;
		fprintf(stream, ", %s: [", directions[direction]);
		for (unsigned int i = dice_below(dice, RULES_MAX); i > 0; i--) {
			fprintf(stream, "\n  {%s: [", peers_keys[direction]);
			for (unsigned int k = dice_below(dice, 3); k > 0; k--) {
				write_network_peer(stream, dice);
				fputs(", ", stream);
			}
			fprintf(stream, "], ports: [%s]}, ",
				DICE_PICK(dice, "", "", "{port: 80}", "{port: http}",
					"{protocol: UDP}", "{protocol: SCTP, port: dns}",
					"{port: 70, endPort: 85}, {protocol: UDP, port: dns}",
					"{protocol: SCTP, port: 1000, endPort: 8100}"));
		}
		fputc(']', stream);
	}
	fputs("}\n", stream);
}

static void write_cluster_peer(FILE *stream, struct dice *dice, int direction)
{
	switch (dice_below(dice, direction ? 3 : 2)) {
	case 0:
		fprintf(stream, "{namespaces: %s}", namespace_selector(dice));
		break;
	case 1:
		fprintf(stream, "{pods: {namespaceSelector: %s, podSelector: %s}}",
			namespace_selector(dice), label_selector(dice));
		break;
	default:
		fprintf(stream, "{networks: ['%s', '%s']}", cidr(dice), cidr(dice));
	}
}

static void write_cluster_policy(FILE *stream, struct dice *dice, unsigned int index)
{
	fprintf(stream,
		"---\napiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\n"
		"metadata: {name: c%u}\nspec: {tier: %s, priority: %u, subject: {",
		index, DICE_PICK(dice, "Admin", "Baseline"), dice_below(dice, 3));
	if (dice_one_in(dice, 2))
		fprintf(stream, "namespaces: %s}", namespace_selector(dice));
	else
		fprintf(stream, "pods: {namespaceSelector: %s, podSelector: %s}}",
			namespace_selector(dice), label_selector(dice));
	for (int direction = 0; direction < 2; direction++) {
		fprintf(stream, ", %s: [", directions[direction]);
		for (unsigned int i = dice_below(dice, RULES_MAX + 1); i > 0; i--) {
			fprintf(stream, "\n  {action: %s, %s: [",
				DICE_PICK(dice, "Accept", "Deny", "Pass"), peers_keys[direction]);
			write_cluster_peer(stream, dice, direction);
			fprintf(stream, "]%s}, ",
				DICE_PICK(dice, "", "", ", protocols: [{tcp: {}}]",
					", protocols: [{destinationNamedPort: http}]",
					", protocols: [{sctp: {}}, {tcp: {destinationPort: "
					"{number: 80}}}]",
					", protocols: [{tcp: {destinationPort: {number: 80}}}, "
					"{udp: {destinationPort: {range: {start: 1, end: 1000}}}}"
					"]"));
		}
		fputc(']', stream);
	}
	fputs("}\n", stream);
}

void policies_text_write(FILE *stream, struct dice *dice)
{
	unsigned int count = 1 + dice_below(dice, POLICIES_MAX);

	for (unsigned int i = 0; i < count; i++) {
		switch (dice_below(dice, 4)) {
		case 0:
			write_network_policy(stream, dice, i);
			break;
		case 1:
			write_cluster_policy(stream, dice, i);
			break;
		default:
			write_segment_policy(stream, dice, i);
		}
	}
}
