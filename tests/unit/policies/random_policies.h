/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random policies and pods, as text: few labels, addresses and ports, so that they meet often. */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static unsigned int random_state;

/* xorshift (Marsaglia 2003): the same everywhere for the same seed. */
static unsigned int random_below(unsigned int bound)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % bound;
}

static const char *pick(const char *const *words, size_t count)
{
	return words[random_below((unsigned int)count)];
}

#define PICK(...)                                                  \
	({                                                         \
		static const char *const words_[] = {__VA_ARGS__}; \
		pick(words_, ARRAY_SIZE(words_));                  \
	})

static const char *random_selector(void)
{
	return PICK("*", "a=x", "a=w", "a!=x", "b", "!b", "a in (x,z)", "b notin (x,w)", "a=x,b=w");
}

static const char *random_cidr(void)
{
	return PICK("{cidr: 10.0.0.0/8}",
		"{cidr: 10.0.0.0/8, except: [10.0.0.0/24, 10.0.0.0/29, 10.0.1.0/25]}",
		"{cidr: 0.0.0.0/0, except: [10.0.0.2/32, 10.0.0.0/30]}", "{cidr: 10.0.0.3/32}",
		"{cidr: '::/0'}", "{cidr: 'fd00::/16', except: ['fd00::2/127']}",
		"{cidr: 10.0.0.0/24}", "{cidr: '::/0', except: ['fd00::/64']}");
}

static void print_segment_peers(FILE *stream)
{
	for (unsigned int i = random_below(4); i > 0; i--) {
		switch (random_below(4)) {
		case 0:
			fprintf(stream, "%s, ", random_cidr());
			break;
		case 1:
			fprintf(stream, "{entity: %s}, ", PICK("all", "host", "world"));
			break;
		case 2:
			fprintf(stream, "{workloads: '%s'}, ", random_selector());
			break;
		default:
			fprintf(stream, "{workloads: '%s', namespaces: '%s'}, ", random_selector(),
				PICK("*", "team=red", "team!=red",
					"kubernetes.io/metadata.name=n2"));
		}
	}
}

static void print_segment_policy(FILE *stream, unsigned int index)
{
	const char *tier = PICK("admin", "application", "baseline");
	bool application = !strcmp(tier, "application");

	fprintf(stream,
		"---\napiVersion: segctl.io/v1\nkind: SegmentPolicy\nmetadata: {name: s%u%s}\n"
		"spec: {subject: '%s', tier: %s, priority: %u, mode: %s",
		index, PICK("", ", namespace: n1", ", namespace: n2"), random_selector(), tier,
		random_below(3), PICK("enforce", "enforce", "audit"));
	for (int egress = 0; egress < 2; egress++) {
		if (!random_below(3))
			continue;
		fprintf(stream, ", %s: [", egress ? "egress" : "ingress");
		for (unsigned int i = random_below(4); i > 0; i--) {
			fprintf(stream, "{%s: [", egress ? "to" : "from");
			print_segment_peers(stream);
			fprintf(stream, "], ports: [%s], action: %s, log: %s, onDeny: %s}, ",
				PICK("", "tcp", "tcp/80", "tcp/80-90", "udp/dns", "tcp/http",
					"tcp/http, udp/1-1000", "icmp/echo-request", "sctp",
					"tcp/1-79, tcp/91-65535", "icmp, icmpv6"),
				application ? PICK("allow", "deny") : PICK("allow", "deny", "pass"),
				PICK("true", "false"), PICK("drop", "reject"));
		}
		fputc(']', stream);
	}
	fputs("}\n", stream);
}

static void print_network_policy(FILE *stream, unsigned int index)
{
	fprintf(stream,
		"---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
		"metadata: {name: k%u, namespace: %s}\nspec: {podSelector: %s",
		index, PICK("n1", "n2"),
		PICK("{}", "{matchLabels: {a: x}}", "{matchLabels: {b: w}}"));
	fprintf(stream, "%s",
		PICK("", ", policyTypes: [Egress]", ", policyTypes: [Ingress, Egress]"));
	for (int egress = 0; egress < 2; egress++) {
		if (!random_below(3))
			continue;
		fprintf(stream, ", %s: [", egress ? "egress" : "ingress");
		for (unsigned int i = random_below(3); i > 0; i--) {
			fprintf(stream, "{%s: [", egress ? "to" : "from");
			for (unsigned int k = random_below(3); k > 0; k--)
				fprintf(stream, "%s, ",
					PICK("{podSelector: {matchLabels: {a: w}}}",
						"{namespaceSelector: {}}",
						"{namespaceSelector: {matchLabels: {team: red}}, "
						"podSelector: {matchExpressions: [{key: b, operator: "
						"DoesNotExist}]}}",
						"{ipBlock: {cidr: 10.0.0.0/16, except: "
						"[10.0.0.4/30]}}",
						"{ipBlock: {cidr: 'fd00::/8'}}"));
			fprintf(stream, "], ports: [%s]}, ",
				PICK("", "{port: 80}", "{port: http}", "{protocol: UDP}",
					"{port: 70, endPort: 85}, {protocol: UDP, port: dns}"));
		}
		fputc(']', stream);
	}
	fputs("}\n", stream);
}

static void print_cluster_rules(FILE *stream, bool egress)
{
	fprintf(stream, ", %s: [", egress ? "egress" : "ingress");
	for (unsigned int i = random_below(4); i > 0; i--)
		fprintf(stream, "{action: %s, %s: [%s]%s}, ", PICK("Accept", "Deny", "Pass"),
			egress ? "to" : "from",
			egress ? PICK("{namespaces: {}}", "{networks: [10.0.0.0/16, 'fd00::/64']}",
					 "{networks: ['0.0.0.0/0']}", "{nodes: {}}",
					 "{nodes: {matchLabels: {os: linux}}}, {networks: [10.0.1.0/28]}",
					 "{nodes: {matchExpressions: [{key: zone, operator: NotIn, values: [a]}]}}")
			       : PICK("{namespaces: {matchLabels: {team: red}}}",
					 "{pods: {namespaceSelector: {}, podSelector: {matchLabels: "
					 "{a: x}}}}"),
			PICK("", ", protocols: [{tcp: {}}]",
				", protocols: [{destinationNamedPort: http}]",
				", protocols: [{tcp: {destinationPort: {number: 80}}}, {udp: "
				"{destinationPort: {range: {start: 1, end: 1000}}}}]"));
	fputc(']', stream);
}

static void print_cluster_policy(FILE *stream, unsigned int index)
{
	fprintf(stream,
		"---\napiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\n"
		"metadata: {name: c%u}\nspec: {tier: %s, priority: %u, subject: {%s}",
		index, PICK("Admin", "Baseline"), random_below(3),
		PICK("namespaces: {}", "pods: {namespaceSelector: {}, podSelector: {matchLabels: "
				       "{a: x}}}"));
	print_cluster_rules(stream, false);
	print_cluster_rules(stream, true);
	fputs("}\n", stream);
}

static void print_policy(FILE *stream, unsigned int index)
{
	switch (random_below(4)) {
	case 0:
		print_network_policy(stream, index);
		break;
	case 1:
		print_cluster_policy(stream, index);
		break;
	default:
		print_segment_policy(stream, index);
	}
}

static void print_nodes(FILE *stream)
{
	for (unsigned int i = random_below(4); i > 0; i--)
		fprintf(stream,
			"---\napiVersion: v1\nkind: Node\nmetadata: {name: m%u, labels: {%s}}\n"
			"status: {addresses: [{type: InternalIP, address: 10.0.%u.%u}, {type: "
			"InternalIP, address: 'fd00::%x'}, {type: Hostname, address: m%u}]}\n",
			i, PICK("", "os: linux", "os: linux, zone: a"), random_below(3),
			random_below(18), random_below(60), i);
}

static void print_models(FILE *stream)
{
	fprintf(stream,
		"---\n{apiVersion: v1, kind: Namespace, metadata: {name: n1, labels: {team: "
		"red}}}\n---\n{apiVersion: v1, kind: Namespace, metadata: {name: n3, labels: {team: "
		"red, env: x}}}\n");
	print_nodes(stream);
	for (unsigned int i = 0, count = 7 + random_below(34); i < count; i++)
		fprintf(stream,
			"---\napiVersion: v1\nkind: Pod\nmetadata: {name: p%u, namespace: %s, "
			"labels: {%s}}\nspec: {hostNetwork: %s, containers: [{ports: [%s]}]}\n"
			"status: {podIPs: [{ip: 10.0.%u.%u}, {ip: 'fd00::%x'}]}\n",
			i, PICK("n1", "n2", "n3", "default"),
			PICK("", "a: x", "a: w", "a: z, b: x", "a: x, b: w", "b: x"),
			i % 16 == 6 ? "true" : "false",
			PICK("", "{name: http, containerPort: 80}",
				"{name: http, containerPort: 8080}, {name: dns, containerPort: 53, "
				"protocol: UDP}",
				"{name: http, containerPort: 80, protocol: UDP}"),
			i / 16, i % 16 + 1, i + 1);
}
