// SPDX-License-Identifier: GPL-2.0-or-later
#include "pods_text.h"

#include "place.h"

#define PRESENT_MIN 4

static void write_namespaces(FILE *stream, struct dice *dice)
{
	static const char *const names[] = {"n1", "n2"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		fprintf(stream,
			"---\n{apiVersion: v1, kind: Namespace, metadata: {name: %s, labels: "
			"{%s}}}\n",
			names[i],
			DICE_PICK(dice, "team: red", "team: blue", "team: red, env: prod"));
}

static void write_pod(
	FILE *stream, struct dice *dice, const char *name, const char *addresses, bool host_network)
{
	const char *labels = DICE_PICK(
		dice, "", "a: x", "a: w", "a: z, b: x", "a: x, b: w", "b: x", "a: w, b: w, c: v");
	const char *ports = DICE_PICK(dice, "", "{name: http, containerPort: 80}",
		"{name: http, containerPort: 80}",
		"{name: http, containerPort: 8080}, {name: dns, containerPort: 53, protocol: UDP}",
		"{name: http, containerPort: 80, protocol: UDP}",
		"{name: dns, containerPort: 1000, protocol: SCTP}, {name: http, containerPort: 81}");

	fprintf(stream,
		"---\napiVersion: v1\nkind: Pod\n"
		"metadata: {name: %s, namespace: %s, labels: {%s}}\n"
		"spec: {hostNetwork: %s, containers: [{ports: [%s]}]}\n"
		"status: {podIPs: [%s]}\n",
		name, DICE_PICK(dice, "n1", "n1", "n2", "n2", "default"), labels,
		host_network ? "true" : "false", ports, addresses);
}

/* Both families on the first network, sometimes one; sometimes both networks. */
static void write_workload(FILE *stream, struct dice *dice, unsigned int number)
{
	static const char *const choices[] = {"1010", "1010", "1010", "1111", "1000", "0010"};
	const char *chosen = choices[dice_below(dice, ARRAY_SIZE(choices))];
	struct place place = place_describe(number);
	char addresses[PLACE_WORKLOAD_ADDRESSES * (ADDRESS_TEXT_MAX + 16)] = "";
	size_t length = 0;

	for (size_t i = 0; i < place.addresses_count; i++)
		if (chosen[i] == '1')
			length += (size_t)snprintf(addresses + length, sizeof(addresses) - length,
				"%s{ip: '%s'}", length ? ", " : "", place.texts[i]);
	write_pod(stream, dice, place.name, addresses, false);
}

/* wanted of the places, each with the same chance. */
static void choose_present(uint64_t seed, bool present[static PLACE_WORKLOADS])
{
	struct dice dice = dice_new(seed / PODS_SEEDS_PER_CROWD);
	unsigned int wanted = PRESENT_MIN + dice_below(&dice, PLACE_WORKLOADS - PRESENT_MIN + 1);

	for (unsigned int i = 0; i < PLACE_WORKLOADS; i++) {
		present[i] = dice_below(&dice, PLACE_WORKLOADS - i) < wanted;
		wanted -= present[i];
	}
}

void pods_text_write(FILE *stream, uint64_t seed, struct dice *dice)
{
	bool present[PLACE_WORKLOADS];

	choose_present(seed, present);
	write_namespaces(stream, dice);
	for (unsigned int i = 0; i < PLACE_WORKLOADS; i++)
		if (present[i])
			write_workload(stream, dice, i);
	if (dice_one_in(dice, 2))
		write_pod(stream, dice, PODS_REMOTE_NAME, "{ip: 192.0.2.70}, {ip: '2001:db8::70'}",
			false);
	if (dice_one_in(dice, 3))
		write_pod(stream, dice, "host", "{ip: 10.77.0.1}, {ip: 'fd77::1'}", true);
}
