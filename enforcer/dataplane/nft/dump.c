/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/dump.h"

#include "base/clock.h"
#include "dataplane/nft/layout.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

#define TARGET_TEXT_MAX 128

/* A place in what the agent holds in memory: how many of a list have been told. */
static size_t get_place(const struct dump_cursor *cursor)
{
	uint64_t place;

	memcpy(&place, cursor->token, sizeof(place));
	return (size_t)place;
}

static void set_place(struct dump_cursor *cursor, uint64_t place)
{
	cursor->started = true;
	memcpy(cursor->token, &place, sizeof(place));
}

/* --- endpoints ----------------------------------------------------------------------------------
 */

static int page_endpoints(
	const struct dump_view *view, const struct dump *dump, struct dump_cursor *cursor)
{
	size_t first = get_place(cursor), end = first + DUMP_PAGE_ENTRIES;

	for (size_t i = first; i < view->attached->count && i < end; i++) {
		const struct attached *attached = &view->attached->items[i];

		dump->entry(json_pack("{s:I, s:s, s:s, s:b}", "ifindex",
				    (json_int_t)attached->ifindex, "interface", attached->name,
				    "mechanism", attached->guard ? "netdev guard" : "nft",
				    "guarded", (int)attached->guard),
			dump->userdata);
	}
	set_place(cursor, end);
	return end < view->attached->count;
}

/* --- addresses: the maps from an address to the chain of its policies ---------------------------
 */

static const char *target_name(
	const struct ruleset *ruleset, struct target target, char text[static TARGET_TEXT_MAX])
{
	if (target.code == NFT_GOTO || target.code == NFT_JUMP)
		return ruleset_chain_name(target.chain, (void *)ruleset);
	if (target.code == NFT_RETURN)
		return "return";
	if (target.code == NF_DROP)
		return "drop";
	snprintf(text, TARGET_TEXT_MAX, "verdict %d", target.code);
	return text;
}

/* Of what is installed only the names are known; what a name stands for is in the plan. NULL: no
 * policy needs it any more. */
static const struct ruleset_chain *planned_chain(const struct dump_view *view, uint64_t id)
{
	return ruleset_find_chain(view->plan, id);
}

/* The policies behind a chain; NULL: not of one peer table. */
static const char *chain_policies(const struct ir *ir, const struct ruleset_chain *planned)
{
	return planned && planned->kind == CHAIN_PEERS ? ir->peer_tables[planned->index].name
						       : NULL;
}

static json_t *address_to_json(const struct dump_view *view, const struct dump *dump,
	enum direction direction, bool ipv4, const struct element *element)
{
	const struct address address =
		ipv4 ? address_from_ipv4(element->key) : address_from_ipv6(element->key);
	char text[ADDRESS_TEXT_MAX], target[TARGET_TEXT_MAX];

	return json_pack("{s:s, s:s, s:s, s:s?}", "address", address_format(&address, text),
		"direction", direction_name(direction), "chain",
		target_name(view->installed, element->target, target), "policies",
		chain_policies(dump->ir, planned_chain(view, element->target.chain)));
}

/* Phases: the four maps. */
static int page_addresses(
	const struct dump_view *view, const struct dump *dump, struct dump_cursor *cursor)
{
	enum direction direction = cursor->phase & 1 ? DIRECTION_EGRESS : DIRECTION_INGRESS;
	bool ipv4 = cursor->phase < 2;
	const struct ruleset_set *map =
		ruleset_find_set(view->installed, layout_dispatch_map(direction, ipv4));
	size_t count = map ? map->elements.count : 0;
	size_t first = get_place(cursor), end = first + DUMP_PAGE_ENTRIES;

	for (size_t i = first; i < count && i < end; i++)
		dump->entry(address_to_json(view, dump, direction, ipv4, &map->elements.items[i]),
			dump->userdata);
	if (end < count) {
		set_place(cursor, end);
		return 1;
	}
	*cursor = (struct dump_cursor){.phase = (uint8_t)(cursor->phase + 1), .started = true};
	return cursor->phase < 4;
}

/* --- chains and sets ----------------------------------------------------------------------------
 */

static json_t *chain_to_json(
	const struct dump_view *view, const struct dump *dump, const struct ruleset_chain *chain)
{
	static const char *const kinds[] = {
		[CHAIN_PEERS] = "peers",
		[CHAIN_PORTS] = "ports",
		[CHAIN_REFUSAL] = "refusal",
	};
	const struct ruleset_chain *planned = planned_chain(view, chain->id);
	bool refuses = planned && planned->kind == CHAIN_REFUSAL;
	char target[TARGET_TEXT_MAX];

	return json_pack("{s:s, s:s?, s:s?, s:s?, s:s?, s:I, s:b}", "chain", chain->name, "kind",
		planned ? kinds[planned->kind] : NULL, "direction",
		planned ? direction_name(planned->direction) : NULL, "policies",
		chain_policies(dump->ir, planned), "otherwise",
		planned && !refuses ? target_name(view->plan, planned->otherwise, target) : NULL,
		"rule", (json_int_t)(refuses ? dump->ir->rules[planned->index].id : 0), "retired",
		(int)!planned);
}

static int page_chains(
	const struct dump_view *view, const struct dump *dump, struct dump_cursor *cursor)
{
	size_t first = get_place(cursor), place = 0;
	const struct ruleset_chain *chain;

	for (chain = view->installed->chains; chain && place < first + DUMP_PAGE_ENTRIES;
		chain = chain->hh.next)
		if (place++ >= first)
			dump->entry(chain_to_json(view, dump, chain), dump->userdata);
	set_place(cursor, place);
	return chain != NULL;
}

static json_t *set_to_json(const struct dump_view *view, const struct ruleset_set *set)
{
	const struct ruleset_set *planned = ruleset_find_set(view->plan, set->name);
	const struct ruleset_set *known = set->mutable ? set : planned;

	return json_pack("{s:s, s:b, s:b, s:b, s:o, s:b}", "set", set->name, "verdicts",
		(int)set->shape.verdicts, "ranges", (int)set->shape.ranges, "changes",
		(int)set->mutable, "elements",
		known ? json_integer((json_int_t)known->elements.count) : json_null(), "retired",
		(int)!planned);
}

static int page_sets(
	const struct dump_view *view, const struct dump *dump, struct dump_cursor *cursor)
{
	size_t first = get_place(cursor), place = 0;
	const struct ruleset_set *set;

	for (set = view->installed->sets; set && place < first + DUMP_PAGE_ENTRIES;
		set = set->hh.next)
		if (place++ >= first)
			dump->entry(set_to_json(view, set), dump->userdata);
	set_place(cursor, place);
	return set != NULL;
}

/* --- flows --------------------------------------------------------------------------------------
 */

/* Behind the place, which moves on. */
static bool tell_connections(
	const struct connections *connections, const struct dump *dump, uint64_t *place)
{
	const struct connection *connection = connections_first(connections);
	uint64_t now_ns = clock_ns(CLOCK_REALTIME);

	while (connection && connection->place <= *place)
		connection = connection->hh.next;
	for (size_t i = 0; connection && i < DUMP_PAGE_ENTRIES; i++) {
		const struct dump_flow flow = {
			.event = connection_event(connection, FLOW_UPDATE, now_ns),
			.state = connection_state(connection),
			.idle_ns = now_ns > connection->last_ns ? now_ns - connection->last_ns : 0,
			.is_current = true, /* what is not is deleted */
		};

		*place = connection->place;
		dump->flow(&flow, dump->userdata);
		connection = connection->hh.next;
	}
	return connection;
}

static int page_connections(const struct dump_view *view, const struct dump *dump,
	struct dump_cursor *cursor, struct error *error)
{
	uint64_t place = get_place(cursor);
	/* Counters and states are those of the last listing: a new one for the first page. */
	int r = cursor->started ? 0 : connections_collect(view->connections, error);

	if (r < 0)
		return r;
	r = tell_connections(view->connections, dump, &place);
	set_place(cursor, place);
	return r;
}

static int page_denials(const struct dump_view *view, const struct dump *dump,
	struct dump_cursor *cursor, struct error *error)
{
	size_t place = get_place(cursor);
	int r = cursor->started ? 0 : refusals_collect(view->refusals, error);

	if (r < 0)
		return r;
	r = refusals_dump(view->refusals, place, DUMP_PAGE_ENTRIES, dump->flow, dump->userdata);
	set_place(cursor, place + DUMP_PAGE_ENTRIES);
	return r;
}

int dump_page(const struct dump_view *view, const struct dump *dump, struct dump_cursor *cursor,
	struct error *error)
{
	switch (dump->table) {
	case DATAPLANE_ENDPOINTS:
		return page_endpoints(view, dump, cursor);
	case DATAPLANE_ADDRESSES:
		return page_addresses(view, dump, cursor);
	case DATAPLANE_CHAINS:
		return page_chains(view, dump, cursor);
	case DATAPLANE_SETS:
		return page_sets(view, dump, cursor);
	case DATAPLANE_CONNECTIONS:
		return page_connections(view, dump, cursor, error);
	case DATAPLANE_DENIALS:
		return page_denials(view, dump, cursor, error);
	default:
		return error_set(error, -EOPNOTSUPP,
			"the nft data plane has endpoints, addresses, chains, sets, connections and "
			"denials, and no table of this name");
	}
}
