/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is who: endpoints, addresses, prefixes; and fragments that wait for the rest of a packet. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "dataplane/bpf/dump.h"

#include <stdio.h>
#include <string.h>

#define MAC_TEXT_BYTES 18

static json_t *mac_to_json(const uint8_t mac[6])
{
	static const uint8_t none[6];
	char text[MAC_TEXT_BYTES];

	if (!memcmp(mac, none, sizeof(none)))
		return json_null();
	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		mac[3], mac[4], mac[5]);
	return json_string(text);
}

static double seconds_since(uint64_t boottime_ns, uint64_t now_ns)
{
	return now_ns > boottime_ns ? (double)(now_ns - boottime_ns) / NS_PER_SECOND : 0;
}

/* --- endpoints ----------------------------------------------------------------------------------
 */

static json_t *endpoint_to_json(const struct dataplane *dataplane, uint32_t ifindex,
	const struct abi_endpoint *endpoint, uint64_t now_ns)
{
	const struct interface *interface = interfaces_find(&dataplane->interfaces, ifindex);
	const struct abi_configuration *configuration = &dataplane->objects.configuration;
	uint64_t age_ns = now_ns > endpoint->attached_ns ? now_ns - endpoint->attached_ns : 0;

	return json_pack("{s:I, s:s?, s:s?, s:o, s:b, s:b, s:f, s:I, s:I}", "ifindex",
		(json_int_t)ifindex, "interface", interface ? interface->name : NULL, "mechanism",
		interface && interface->mechanism ? interface->mechanism->name : NULL, "mac",
		mac_to_json(endpoint->mac), "guarded", !!(endpoint->flags & ABI_ENDPOINT_GUARD),
		"adopting", age_ns < endpoint->adoption_ns, "attached_seconds",
		(double)age_ns / NS_PER_SECOND, "connections",
		(json_int_t)objects_share(&dataplane->objects, ifindex)->connections, "share",
		(json_int_t)configuration->share);
}

int dump_endpoints(struct dataplane *dataplane, const struct dump *dump, struct dump_cursor *cursor)
{
	_cleanup_walk_ struct walk walk =
		WALK_INIT(dataplane->objects.maps.endpoints, uint32_t, struct abi_endpoint);
	uint64_t now_ns = clock_ns(CLOCK_BOOTTIME);
	const struct abi_endpoint *endpoints;
	const uint32_t *indexes;
	uint32_t count;
	bool more;
	int r = dump_read(&walk, cursor, &count, &more);

	if (r < 0)
		return r;
	indexes = (const void *)walk.keys;
	endpoints = (const void *)walk.values;
	for (uint32_t i = 0; i < count; i++)
		dump->entry(endpoint_to_json(dataplane, indexes[i], &endpoints[i], now_ns),
			dump->userdata);
	return more;
}

/* --- addresses and prefixes ---------------------------------------------------------------------
 */

/* What the running generation makes of an identity, added to what has it. */
static json_t *add_meaning(const struct dataplane *dataplane, const struct dump_names *names,
	uint32_t number, json_t *entry)
{
	const struct abi_identity *identity =
		objects_identity(&dataplane->objects, number, objects_slot(&dataplane->objects));
	const char *class_name = dump_class_name(names->ir, identity->class);

	json_object_set_new(entry, "identity", json_integer(number));
	json_object_set_new(entry, "class", json_integer(identity->class));
	json_object_set_new(entry, "members", class_name ? json_string(class_name) : json_null());
	json_object_set_new(
		entry, "ingress", dump_peer_table(names, identity->peer_table[ABI_INGRESS]));
	json_object_set_new(
		entry, "egress", dump_peer_table(names, identity->peer_table[ABI_EGRESS]));
	return entry;
}

static json_t *address_to_json(const struct abi_address_key *key, const struct abi_address *address)
{
	const struct address bytes = address_from_ipv6(key->bytes);
	char text[ADDRESS_TEXT_MAX];

	return json_pack("{s:s, s:I, s:o, s:b}", "address", address_format(&bytes, text), "ifindex",
		(json_int_t)address->ifindex, "mac", mac_to_json(address->mac), "host",
		!!(address->flags & ABI_ADDRESS_HOST));
}

int dump_addresses(struct dataplane *dataplane, const struct dump *dump, struct dump_cursor *cursor)
{
	_cleanup_walk_ struct walk walk = WALK_INIT(
		dataplane->objects.maps.addresses, struct abi_address_key, struct abi_address);
	_cleanup_names_ struct dump_names names = {0};
	const struct abi_address_key *keys;
	const struct abi_address *addresses;
	uint32_t count;
	bool more;
	int r = dump_names_new(dataplane, dump->ir, &names);

	if (r == 0)
		r = dump_read(&walk, cursor, &count, &more);
	if (r < 0)
		return r;
	keys = (const void *)walk.keys;
	addresses = (const void *)walk.values;
	for (uint32_t i = 0; i < count; i++)
		dump->entry(add_meaning(dataplane, &names, addresses[i].identity,
				    address_to_json(&keys[i], &addresses[i])),
			dump->userdata);
	return more;
}

int dump_prefixes(struct dataplane *dataplane, const struct dump *dump, struct dump_cursor *cursor)
{
	_cleanup_walk_ struct walk walk = WALK_INIT(
		dataplane->objects.maps.prefixes, struct abi_prefix_key, struct abi_prefix);
	_cleanup_names_ struct dump_names names = {0};
	const struct abi_prefix_key *keys;
	const struct abi_prefix *prefixes;
	char text[PREFIX_TEXT_MAX];
	uint32_t count;
	bool more;
	int r = dump_names_new(dataplane, dump->ir, &names);

	if (r == 0)
		r = dump_read(&walk, cursor, &count, &more);
	if (r < 0)
		return r;
	keys = (const void *)walk.keys;
	prefixes = (const void *)walk.values;
	for (uint32_t i = 0; i < count; i++) {
		const struct prefix prefix = {
			address_from_ipv6(keys[i].bytes), (uint8_t)keys[i].length};

		dump->entry(add_meaning(dataplane, &names, prefixes[i].identity,
				    json_pack("{s:s}", "prefix", prefix_format(&prefix, text))),
			dump->userdata);
	}
	return more;
}

/* --- fragments ----------------------------------------------------------------------------------
 */

int dump_fragments(struct dataplane *dataplane, const struct dump *dump, struct dump_cursor *cursor)
{
	_cleanup_walk_ struct walk walk = WALK_INIT(
		dataplane->objects.maps.fragments, struct abi_fragment_key, struct abi_fragment);
	uint64_t now_ns = clock_ns(CLOCK_BOOTTIME);
	const struct abi_fragment_key *keys;
	const struct abi_fragment *fragments;
	uint32_t count;
	bool more;
	int r = dump_read(&walk, cursor, &count, &more);

	if (r < 0)
		return r;
	keys = (const void *)walk.keys;
	fragments = (const void *)walk.values;
	for (uint32_t i = 0; i < count; i++) {
		const struct address source = address_from_ipv6(keys[i].source);
		const struct address destination = address_from_ipv6(keys[i].destination);
		char from[ADDRESS_TEXT_MAX], to[ADDRESS_TEXT_MAX];

		dump->entry(json_pack("{s:s, s:s, s:I, s:i, s:I, s:f}", "source",
				    address_format(&source, from), "destination",
				    address_format(&destination, to), "id", (json_int_t)keys[i].id,
				    "protocol", (int)keys[i].protocol, "ifindex",
				    (json_int_t)keys[i].ifindex, "age_seconds",
				    seconds_since(fragments[i].passed_ns, now_ns)),
			dump->userdata);
	}
	return more;
}
