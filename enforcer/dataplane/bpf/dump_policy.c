/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policy as the programs read it: peer tables, and the port tables that they lead to. */
#include "base/cleanup.h"
#include "dataplane/bpf/dump.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* A table's entries first, then what it says of everything else: that is in an array, where only
 * numbers in use mean something. */
enum {
	PHASE_ENTRIES,
	PHASE_OTHERWISE
};

static const char *const protocol_names[ABI_PROTOCOLS] = {
	[ABI_TCP] = "tcp",
	[ABI_UDP] = "udp",
	[ABI_SCTP] = "sctp",
	[ABI_ICMP] = "icmp",
	[ABI_ICMPV6] = "icmpv6",
};

/* Reads a page; when the entries are through, the next one begins in the array. */
static int read_phase(
	struct walk *walk, struct dump_cursor *cursor, uint32_t *ret_count, bool *ret_more)
{
	int r = dump_read(walk, cursor, ret_count, ret_more);

	if (r == 0 && !*ret_more && cursor->phase == PHASE_ENTRIES) {
		*cursor = (struct dump_cursor){.phase = PHASE_OTHERWISE};
		*ret_more = true;
	}
	return r;
}

static bool *numbers_in_use(const struct pool *pool, size_t max)
{
	bool *used = calloc(max, sizeof(*used));

	for (const struct pool_item *item = pool->items; used && item; item = item->hh.next)
		used[item->number] = true;
	return used;
}

/* --- peers --------------------------------------------------------------------------------------
 */

static json_t *peer_to_json(const struct dump_names *names, uint32_t peer_table, json_t *class,
	const char *members, uint32_t port_table)
{
	uint32_t index = peer_table < ABI_MAX_PEER_TABLES ? names->peer_tables[peer_table]
							  : IR_PEER_TABLE_NONE;
	const struct ir_peer_table *table =
		index == IR_PEER_TABLE_NONE ? NULL : &names->ir->peer_tables[index];

	return json_pack("{s:I, s:s?, s:s?, s:o, s:s?, s:I}", "peer_table", (json_int_t)peer_table,
		"direction", table ? direction_name(table->direction) : NULL, "policies",
		table ? table->name : NULL, "class", class, "peer", members, "port_table",
		(json_int_t)port_table);
}

static int dump_peer_entries(struct dataplane *dataplane, const struct dump *dump,
	const struct dump_names *names, struct dump_cursor *cursor)
{
	_cleanup_walk_ struct walk walk =
		WALK_INIT(dataplane->objects.maps.peers, struct abi_peer_key, uint32_t);
	const struct abi_peer_key *keys;
	const uint32_t *port_tables;
	uint32_t count;
	bool more;
	int r = read_phase(&walk, cursor, &count, &more);

	if (r < 0)
		return r;
	keys = (const void *)walk.keys;
	port_tables = (const void *)walk.values;
	for (uint32_t i = 0; i < count; i++)
		dump->entry(peer_to_json(names, keys[i].peer_table, json_integer(keys[i].class),
				    dump_class_name(names->ir, keys[i].class), port_tables[i]),
			dump->userdata);
	return more;
}

static int dump_other_peers(struct dataplane *dataplane, const struct dump *dump,
	const struct dump_names *names, struct dump_cursor *cursor)
{
	_cleanup_free_ bool *used =
		numbers_in_use(&dataplane->generations.tables.peers, ABI_MAX_PEER_TABLES);
	_cleanup_walk_ struct walk walk =
		WALK_INIT(dataplane->objects.maps.peer_tables, uint32_t, uint32_t);
	const uint32_t *numbers, *port_tables;
	uint32_t count;
	bool more;
	int r = used ? read_phase(&walk, cursor, &count, &more) : -ENOMEM;

	if (r < 0)
		return r;
	numbers = (const void *)walk.keys;
	port_tables = (const void *)walk.values;
	for (uint32_t i = 0; i < count; i++)
		if (used[numbers[i]])
			dump->entry(peer_to_json(names, numbers[i], json_null(), "everybody else",
					    port_tables[i]),
				dump->userdata);
	return more;
}

int dump_peers(struct dataplane *dataplane, const struct dump *dump, struct dump_cursor *cursor)
{
	_cleanup_names_ struct dump_names names = {0};
	int r = dump_names_new(dataplane, dump->ir, &names);

	if (r < 0)
		return r;
	return cursor->phase == PHASE_ENTRIES ? dump_peer_entries(dataplane, dump, &names, cursor)
					      : dump_other_peers(dataplane, dump, &names, cursor);
}

/* --- ports --------------------------------------------------------------------------------------
 */

static json_t *decision_to_json(
	uint32_t port_table, const char *ports, const struct abi_decision *decision)
{
	const char *verdict = decision->verdict == ABI_ALLOW ? "allow" : "deny";

	return json_pack("{s:I, s:s, s:s, s:b, s:b, s:I}", "port_table", (json_int_t)port_table,
		"ports", ports, "verdict", decision->flags & ABI_DECISION_AUDIT ? "audit" : verdict,
		"log", !!(decision->flags & ABI_DECISION_LOG), "reject",
		!!(decision->flags & ABI_DECISION_REJECT), "rule", (json_int_t)decision->rule);
}

/* The bits behind the prefix are free: "tcp/8000-8007". */
static const char *format_ports(const struct abi_port_key *key, char *text, size_t size)
{
	const char *protocol =
		key->protocol < ABI_PROTOCOLS ? protocol_names[key->protocol] : "unknown";
	unsigned int last = key->port | (0xffffu >> key->length);
	bool icmp = key->protocol == ABI_ICMP || key->protocol == ABI_ICMPV6;

	if (!key->length)
		snprintf(text, size, "%s", protocol);
	else if (icmp && key->length == 16)
		snprintf(text, size, "%s/%u/%u", protocol, key->port >> 8, key->port & 0xffu);
	else if (icmp && key->length == 8)
		snprintf(text, size, "%s/%u", protocol, key->port >> 8);
	else if (icmp)
		snprintf(text, size, "%s/%u/%u-%u/%u", protocol, key->port >> 8, key->port & 0xffu,
			last >> 8, last & 0xff);
	else if (key->length == 16)
		snprintf(text, size, "%s/%u", protocol, key->port);
	else
		snprintf(text, size, "%s/%u-%u", protocol, key->port, last);
	return text;
}

static int dump_port_entries(
	struct dataplane *dataplane, const struct dump *dump, struct dump_cursor *cursor)
{
	_cleanup_walk_ struct walk walk =
		WALK_INIT(dataplane->objects.maps.ports, struct abi_port_key, struct abi_decision);
	const struct abi_port_key *keys;
	const struct abi_decision *decisions;
	char text[64];
	uint32_t count;
	bool more;
	int r = read_phase(&walk, cursor, &count, &more);

	if (r < 0)
		return r;
	keys = (const void *)walk.keys;
	decisions = (const void *)walk.values;
	for (uint32_t i = 0; i < count; i++)
		dump->entry(decision_to_json(keys[i].port_table,
				    format_ports(&keys[i], text, sizeof(text)), &decisions[i]),
			dump->userdata);
	return more;
}

static int dump_other_ports(
	struct dataplane *dataplane, const struct dump *dump, struct dump_cursor *cursor)
{
	_cleanup_free_ bool *used =
		numbers_in_use(&dataplane->generations.tables.ports, ABI_MAX_PORT_TABLES);
	_cleanup_walk_ struct walk walk =
		WALK_INIT(dataplane->objects.maps.port_tables, uint32_t, struct abi_port_table);
	const struct abi_port_table *tables;
	const uint32_t *numbers;
	uint32_t count;
	bool more;
	int r = used ? read_phase(&walk, cursor, &count, &more) : -ENOMEM;

	if (r < 0)
		return r;
	numbers = (const void *)walk.keys;
	tables = (const void *)walk.values;
	for (uint32_t i = 0; i < count; i++)
		if (used[numbers[i]])
			dump->entry(decision_to_json(
					    numbers[i], "everything else", &tables[i].otherwise),
				dump->userdata);
	return more;
}

int dump_ports(struct dataplane *dataplane, const struct dump *dump, struct dump_cursor *cursor)
{
	return cursor->phase == PHASE_ENTRIES ? dump_port_entries(dataplane, dump, cursor)
					      : dump_other_ports(dataplane, dump, cursor);
}
