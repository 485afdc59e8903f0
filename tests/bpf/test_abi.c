/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The layouts that clang gave the BPF programs, read from the BTF in their object, against those
 * that the C compiler gives user space. Static asserts hold sizes; this holds every member's place.
 */
#include "base/cleanup.h"
#include "xdp/abi.h"
#include "xdp/reasons.h"
#include "xdp/segd.skel.h"
#include "xdp/segd_xdp.skel.h"

#include <bpf/btf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct member {
	const char *type;
	const char *name;
	size_t offset_bytes;
};

#define MEMBER(type, name)                                \
	{                                                 \
#type, #name, offsetof(struct type, name) \
	}

static const struct member members[] = {
	MEMBER(abi_control, version),
	MEMBER(abi_control, generation),
	MEMBER(abi_control, epoch),
	MEMBER(abi_control, pad),
	MEMBER(abi_endpoint, attached_ns),
	MEMBER(abi_endpoint, adoption_ns),
	MEMBER(abi_endpoint, identity),
	MEMBER(abi_endpoint, flags),
	MEMBER(abi_endpoint, mac),
	MEMBER(abi_endpoint, pad),
	MEMBER(abi_address_key, bytes),
	MEMBER(abi_address, identity),
	MEMBER(abi_address, ifindex),
	MEMBER(abi_address, mac),
	MEMBER(abi_address, flags),
	MEMBER(abi_prefix_key, length),
	MEMBER(abi_prefix_key, bytes),
	MEMBER(abi_prefix, identity),
	MEMBER(abi_identity, class),
	MEMBER(abi_identity, peer_table),
	MEMBER(abi_identity, pad),
	MEMBER(abi_peer_key, peer_table),
	MEMBER(abi_peer_key, class),
	MEMBER(abi_decision, rule),
	MEMBER(abi_decision, verdict),
	MEMBER(abi_decision, flags),
	MEMBER(abi_decision, pad),
	MEMBER(abi_port_table, otherwise),
	MEMBER(abi_port_table, lengths),
	MEMBER(abi_port_table, pad),
	MEMBER(abi_port_key, port_table),
	MEMBER(abi_port_key, port),
	MEMBER(abi_port_key, protocol),
	MEMBER(abi_port_key, length),
	MEMBER(abi_connection_key, address),
	MEMBER(abi_connection_key, port_be),
	MEMBER(abi_connection_key, protocol),
	MEMBER(abi_connection_key, pad),
	MEMBER(abi_connection, packets),
	MEMBER(abi_connection, bytes),
	MEMBER(abi_connection, start_ns),
	MEMBER(abi_connection, last_ns),
	MEMBER(abi_connection, generation),
	MEMBER(abi_connection, ifindex),
	MEMBER(abi_connection, rule),
	MEMBER(abi_connection, mac),
	MEMBER(abi_connection, tcp_flags),
	MEMBER(abi_connection, originator),
	MEMBER(abi_connection, flags),
	MEMBER(abi_connection, type_code),
	MEMBER(abi_connection, samples),
	MEMBER(abi_connection, seen),
	MEMBER(abi_connection, id),
	MEMBER(abi_connection, owner),
	MEMBER(abi_connection, round_trip_us),
	MEMBER(abi_connection, retransmissions),
	MEMBER(abi_share, connections),
	MEMBER(abi_share, head),
	MEMBER(abi_share, tail),
	MEMBER(abi_share, answers),
	MEMBER(abi_share, answers_since_ns),
	MEMBER(abi_share, denials),
	MEMBER(abi_share, samples),
	MEMBER(abi_denial_key, source),
	MEMBER(abi_denial_key, destination),
	MEMBER(abi_denial_key, ifindex),
	MEMBER(abi_denial_key, rule),
	MEMBER(abi_denial_key, port),
	MEMBER(abi_denial_key, ethertype),
	MEMBER(abi_denial_key, protocol),
	MEMBER(abi_denial_key, reason),
	MEMBER(abi_denial_key, hook),
	MEMBER(abi_denial_key, direction),
	MEMBER(abi_denial_key, epoch),
	MEMBER(abi_denial, packets),
	MEMBER(abi_denial, bytes),
	MEMBER(abi_denial, first_ns),
	MEMBER(abi_denial, last_ns),
	MEMBER(abi_denial, source_port),
	MEMBER(abi_denial, tcp_flags),
	MEMBER(abi_denial, decision_flags),
	MEMBER(abi_denial, source_mac),
	MEMBER(abi_denial, destination_mac),
	MEMBER(abi_fragment_key, source),
	MEMBER(abi_fragment_key, destination),
	MEMBER(abi_fragment_key, id),
	MEMBER(abi_fragment_key, ifindex),
	MEMBER(abi_fragment_key, protocol),
	MEMBER(abi_fragment_key, pad),
	MEMBER(abi_fragment, passed_ns),
	MEMBER(abi_fragment, header_units),
	MEMBER(abi_fragment, pad),
	MEMBER(abi_counter, packets),
	MEMBER(abi_counter, bytes),
	MEMBER(abi_event, type),
	MEMBER(abi_event, pad),
	MEMBER(abi_early_interface, limit_interval_ns),
	MEMBER(abi_early_interface, limit_burst_ns),
	MEMBER(abi_early_interface, jobs),
	MEMBER(abi_early_interface, hook),
	MEMBER(abi_configuration, tcp_established_ns),
	MEMBER(abi_configuration, tcp_opening_ns),
	MEMBER(abi_configuration, tcp_half_closed_ns),
	MEMBER(abi_configuration, tcp_closing_ns),
	MEMBER(abi_configuration, udp_ns),
	MEMBER(abi_configuration, other_ns),
	MEMBER(abi_configuration, ethertypes),
	MEMBER(abi_configuration, fast_path),
	MEMBER(abi_configuration, lock_mark),
	MEMBER(abi_configuration, share),
	MEMBER(abi_configuration, denials_share),
	MEMBER(abi_configuration, samples),
	MEMBER(abi_configuration, sampled_connections),
	MEMBER(abi_sample, key),
	MEMBER(abi_sample, time_ns),
	MEMBER(abi_sample, size),
	MEMBER(abi_sample, sampled),
	MEMBER(abi_sample, originator),
	MEMBER(abi_sample, sender),
	MEMBER(abi_sample, pad),
	MEMBER(abi_sample, bytes),
};

/* Of the data plane and of early dropping. Rows of deny lists are in neither's BTF, for clang tells
 * of no type that is only behind the pointer of an outer map; they have no room for padding. */
static struct objects {
	struct segd_bpf *plane;
	struct segd_xdp_bpf *early;
	const struct btf *btf[2];
} objects;

static int open_objects(void **state)
{
	objects.plane = segd_bpf__open();
	objects.early = segd_xdp_bpf__open();
	if (!objects.plane || !objects.early)
		return -1;
	objects.btf[0] = bpf_object__btf(objects.plane->obj);
	objects.btf[1] = bpf_object__btf(objects.early->obj);
	*state = &objects;
	return 0;
}

static int close_objects(void **state)
{
	(void)state;
	segd_bpf__destroy(objects.plane);
	segd_xdp_bpf__destroy(objects.early);
	return 0;
}

/* NULL: the object does not use it. */
static const struct btf_type *type_of(const struct btf *btf, const char *name)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT);

	return id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
}

static const struct member *wanted(const char *type, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (!strcmp(members[i].type, type) && !strcmp(members[i].name, name))
			return &members[i];
	return NULL;
}

/* Whether the type has the member, and then at its place. */
static bool is_in_place(
	const struct btf *btf, const struct btf_type *type, const struct member *member)
{
	for (uint32_t j = 0; type && j < btf_vlen(type); j++) {
		const char *name = btf__name_by_offset(btf, btf_members(type)[j].name_off);

		if (strcmp(name, member->name))
			continue;
		assert_int_equal(btf_member_bit_offset(type, j), 8 * member->offset_bytes);
		return true;
	}
	return false;
}

static void members_are_where_user_space_looks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		size_t types = 0, found = 0;

		for (size_t j = 0; j < ARRAY_SIZE(objects.btf); j++) {
			const struct btf *btf = objects.btf[j];
			const struct btf_type *type = type_of(btf, members[i].type);

			types += type != NULL;
			found += is_in_place(btf, type, &members[i]);
		}
		if (!types || found != types)
			print_error("%s.%s\n", members[i].type, members[i].name);
		assert_true(types && found == types);
	}
}

/* And the table above forgets none of them. */
static void no_member_of_type_is_unchecked(const struct btf *btf, const char *type_name)
{
	const struct btf_type *type = type_of(btf, type_name);

	for (uint32_t j = 0; type && j < btf_vlen(type); j++) {
		const char *name = btf__name_by_offset(btf, btf_members(type)[j].name_off);

		if (*name && !wanted(type_name, name))
			print_error("%s.%s is not checked\n", type_name, name);
		assert_true(!*name || wanted(type_name, name));
	}
}

static void no_member_is_unchecked(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		for (size_t j = 0; j < ARRAY_SIZE(objects.btf); j++)
			no_member_of_type_is_unchecked(objects.btf[j], members[i].type);
}

static void tables_have_the_sizes_of_their_entries(void **state)
{
	const struct segd_bpf *skeleton = objects.plane;
	const struct segd_xdp_bpf *early = objects.early;
	const struct {
		const struct bpf_map *map;
		size_t key;
		size_t value;
	} tables[] = {
		{skeleton->maps.control, 4, sizeof(struct abi_control)},
		{skeleton->maps.endpoints, 4, sizeof(struct abi_endpoint)},
		{skeleton->maps.addresses, sizeof(struct abi_address_key),
			sizeof(struct abi_address)},
		{skeleton->maps.prefixes, sizeof(struct abi_prefix_key), sizeof(struct abi_prefix)},
		{skeleton->maps.identities, 4, sizeof(struct abi_identity)},
		{skeleton->maps.peers, sizeof(struct abi_peer_key), 4},
		{skeleton->maps.peer_tables, 4, 4},
		{skeleton->maps.port_tables, 4, sizeof(struct abi_port_table)},
		{skeleton->maps.ports, sizeof(struct abi_port_key), sizeof(struct abi_decision)},
		{skeleton->maps.connections, sizeof(struct abi_connection_key),
			sizeof(struct abi_connection)},
		{skeleton->maps.shares, 4, sizeof(struct abi_share)},
		{skeleton->maps.openings, 4, sizeof(struct abi_connection_key)},
		{skeleton->maps.hits, 4, 8},
		{skeleton->maps.recent_hits, 4, 8},
		{skeleton->maps.denials, sizeof(struct abi_denial_key), sizeof(struct abi_denial)},
		{skeleton->maps.fragments, sizeof(struct abi_fragment_key),
			sizeof(struct abi_fragment)},
		{skeleton->maps.counters, 4, sizeof(struct abi_counter)},
		{skeleton->maps.losses, 4, 8},
		{early->maps.early_control, 4, sizeof(struct abi_control)},
		{early->maps.early_interfaces, 4, sizeof(struct abi_early_interface)},
		{early->maps.investigators, sizeof(struct abi_prefix_key), 4},
		{early->maps.deny_lists, 4, 4},
		{bpf_map__inner_map(early->maps.deny_lists), 4, sizeof(union abi_deny_row)},
		{early->maps.early_sources, sizeof(struct abi_address_key), 8},
		{early->maps.early_denials, sizeof(struct abi_denial_key),
			sizeof(struct abi_denial)},
		{early->maps.early_counters, 4, sizeof(struct abi_counter)},
		{early->maps.early_losses, 4, 8},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		assert_int_equal(bpf_map__key_size(tables[i].map), tables[i].key);
		assert_int_equal(bpf_map__value_size(tables[i].map), tables[i].value);
	}
	assert_int_equal(
		bpf_map__max_entries(skeleton->maps.counters), REASON_COUNT * ABI_DIRECTIONS);
	assert_int_equal(bpf_map__max_entries(skeleton->maps.losses), ABI_LOSS_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_where_user_space_looks),
		cmocka_unit_test(no_member_is_unchecked),
		cmocka_unit_test(tables_have_the_sizes_of_their_entries),
	};

	return cmocka_run_group_tests(tests, open_objects, close_objects);
}
