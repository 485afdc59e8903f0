/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/device_hearing.h"

#include "policies/ir_ranks.h"

#include <errno.h>
#include <stdlib.h>

enum openness {
	UNKNOWN,
	OPEN,
	SELECTIVE
};

static bool allows_all(const struct ir_port_table *table)
{
	for (size_t i = 0; i < table->ranges_count; i++)
		if (table->ranges[i].decision.verdict != VERDICT_ALLOW)
			return false;
	return table->otherwise.verdict == VERDICT_ALLOW;
}

static bool hears_all(const struct ir *ir, const struct ir_peer_table *table)
{
	for (size_t i = 0; i < table->peers_count; i++)
		if (!allows_all(&ir->port_tables[table->peers[i].port_table]))
			return false;
	return allows_all(&ir->port_tables[table->otherwise]);
}

/* Workloads share tables. */
static bool is_open(const struct device_hearing *hearing, const struct ir *ir, uint32_t number)
{
	uint8_t *openness = &hearing->openness[number];

	if (*openness == UNKNOWN)
		*openness = hears_all(ir, &ir->peer_tables[number]) ? OPEN : SELECTIVE;
	return *openness == OPEN;
}

static int add(struct element_list *list, uint32_t ifindex, const struct address *from)
{
	struct element element = {.target.code = TARGET_NONE};

	element_key_add(&element, &ifindex, sizeof(ifindex));
	if (from)
		element_key_add_address(&element, from);
	return element_list_add(list, &element);
}

int device_hearing_new(const struct ir *ir, struct device_hearing *ret)
{
	struct device_hearing hearing = {0};

	hearing.node = calloc(ir->addresses_count + 1, sizeof(*hearing.node));
	hearing.openness = calloc(ir->peer_tables_count + 1, sizeof(*hearing.openness));
	if (!hearing.node || !hearing.openness) {
		device_hearing_clear(&hearing);
		return -ENOMEM;
	}
	for (size_t i = 0; i < ir->addresses_count; i++)
		if (ir->addresses[i].workload < 0)
			hearing.node[hearing.node_count++] = ir->addresses[i];
	*ret = hearing;
	return 0;
}

void device_hearing_clear(struct device_hearing *hearing)
{
	free(hearing->node);
	free(hearing->openness);
}

int device_hearing_add(struct device_hearing *hearing, const struct dataplane_state *state,
	const struct attachment *attachment, struct element_list *deaf,
	struct element_list *const from[2])
{
	const struct ir *ir = state->ir;
	uint32_t number = ir->subjects[attachment->workload].peer_table[DIRECTION_INGRESS];
	const struct ir_peer_table *table;
	int r;

	if (number == IR_PEER_TABLE_NONE || is_open(hearing, ir, number))
		return 0;
	table = &ir->peer_tables[number];
	r = add(deaf, attachment->ifindex, NULL);
	for (size_t i = 0; !r && i < hearing->node_count; i++) {
		const struct ir_address *address = &hearing->node[i];
		uint32_t ports = ir_ranks_port_table(table, address->class);

		if (allows_all(&ir->port_tables[ports]))
			r = add(from[address_is_ipv4(&address->address)], attachment->ifindex,
				&address->address);
	}
	return r;
}
