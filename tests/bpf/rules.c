/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy of a world to the tables of abi.h, each generation under numbers of its own. */
#include "world.h"
#include "xdp/segd.skel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#define TABLES_PER_GENERATION (WORLD_IDENTITIES * ABI_DIRECTIONS)

static uint32_t peer_table_number(
	const struct world *world, uint32_t subject, enum abi_direction direction)
{
	return 1 + world->generation * TABLES_PER_GENERATION + subject * ABI_DIRECTIONS + direction;
}

/* One for each peer of a peer table; peer 0 is every other. */
static uint32_t port_table_number(uint32_t peer_table, uint32_t peer)
{
	return peer_table * WORLD_IDENTITIES + peer;
}

static int update(const struct bpf_map *map, const void *key, const void *value)
{
	return bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY);
}

void world_isolate(struct world *world, const struct end *subject, enum abi_direction direction,
	struct abi_decision otherwise)
{
	world->isolated[subject->identity][direction] = true;
	world->otherwise[subject->identity][direction] = otherwise;
}

void world_rule(struct world *world, struct world_rule rule)
{
	if (world->rules_count < WORLD_RULES_MAX)
		world->rules[world->rules_count++] = rule;
}

void world_forget_policy(struct world *world)
{
	memset(world->isolated, 0, sizeof(world->isolated));
	world->rules_count = 0;
}

static int enter_port_table(struct world *world, uint32_t number, struct abi_decision otherwise)
{
	struct abi_port_table table = {.otherwise = otherwise};

	return update(world->skeleton->maps.port_tables, &number, &table);
}

static int enter_rule(struct world *world, const struct world_rule *rule, uint32_t peer_table)
{
	uint32_t number = port_table_number(peer_table, rule->peer);
	struct abi_peer_key peer = {.peer_table = peer_table, .class = rule->peer};
	struct abi_port_key port = {.port_table = number,
		.port = rule->port,
		.protocol = rule->protocol,
		.length = rule->length};
	struct abi_port_table table;
	int r;

	r = bpf_map_lookup_elem(bpf_map__fd(world->skeleton->maps.port_tables), &number, &table);
	if (r < 0)
		return r;
	table.lengths[rule->protocol] |= 1U << rule->length;
	r = update(world->skeleton->maps.port_tables, &number, &table);
	if (r < 0)
		return r;
	r = update(world->skeleton->maps.ports, &port, &rule->decision);
	if (r < 0)
		return r;
	return update(world->skeleton->maps.peers, &peer, &number);
}

static int enter_subject(struct world *world, uint32_t subject, enum abi_direction direction)
{
	uint32_t peer_table = peer_table_number(world, subject, direction);
	uint32_t otherwise = port_table_number(peer_table, 0);
	int r;

	for (uint32_t peer = 0; peer < WORLD_IDENTITIES; peer++) {
		r = enter_port_table(world, port_table_number(peer_table, peer),
			world->otherwise[subject][direction]);
		if (r < 0)
			return r;
	}
	r = update(world->skeleton->maps.peer_tables, &peer_table, &otherwise);
	for (size_t i = 0; i < world->rules_count && r == 0; i++)
		if (world->rules[i].subject == subject && world->rules[i].direction == direction)
			r = enter_rule(world, &world->rules[i], peer_table);
	return r;
}

static int enter_identity(struct world *world, uint32_t identity)
{
	uint32_t index = identity * 2 + (world->generation & 1);
	struct abi_identity value = {.class = identity};

	for (int direction = 0; direction < ABI_DIRECTIONS; direction++) {
		int r;

		if (!world->isolated[identity][direction])
			continue;
		value.peer_table[direction] = peer_table_number(world, identity, direction);
		r = enter_subject(world, identity, direction);
		if (r < 0)
			return r;
	}
	return update(world->skeleton->maps.identities, &index, &value);
}

int world_apply(struct world *world, struct error *error)
{
	struct abi_control control = {.version = ABI_VERSION};
	uint32_t zero = 0;
	int r;

	world->generation++;
	for (uint32_t identity = 1; identity < WORLD_IDENTITIES; identity++) {
		r = enter_identity(world, identity);
		if (r < 0)
			return error_errno(error, r, "enter identity %u", identity);
	}
	control.generation = world->generation;
	r = update(world->skeleton->maps.control, &zero, &control);
	return r < 0 ? error_errno(error, r, "swap to generation %u", world->generation) : 0;
}

/* Of other subjects' tables and about ports that nobody asks for, as on a node with many policies.
 */
int world_fill_rules(struct world *world, size_t count, struct error *error)
{
	const struct abi_decision allow = {.rule = 1, .verdict = ABI_ALLOW};

	for (size_t i = 0; i < count; i++) {
		const uint32_t table = ABI_MAX_PORT_TABLES - 1 - (uint32_t)(i % 16384);
		const struct abi_port_key port = {
			.port_table = table, .port = (uint16_t)i, .length = 16};
		const struct abi_peer_key peer = {.peer_table = table, .class = (uint32_t)i};
		int r = update(world->skeleton->maps.ports, &port, &allow);

		if (r == 0)
			r = update(world->skeleton->maps.peers, &peer, &table);
		if (r < 0)
			return error_errno(error, r, "enter rule %zu", i);
	}
	return 0;
}
