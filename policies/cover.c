/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/cover.h"

#include <string.h>

#define ADDRESS_BITS 128

/* --- selectors ----------------------------------------------------------------------------------
 */

static bool has_value(const struct selector_requirement *requirement, const char *value)
{
	for (size_t i = 0; i < requirement->values_count; i++)
		if (strcmp(requirement->values[i], value) == 0)
			return true;
	return false;
}

/* How many of inner's values outer has, too. */
static size_t common_values(
	const struct selector_requirement *outer, const struct selector_requirement *inner)
{
	size_t count = 0;

	for (size_t i = 0; i < inner->values_count; i++)
		count += has_value(outer, inner->values[i]);
	return count;
}

/* Whatever meets inner meets outer. */
static bool implies(
	const struct selector_requirement *inner, const struct selector_requirement *outer)
{
	if (strcmp(inner->key, outer->key) != 0)
		return false;
	switch (outer->relation) {
	case SELECTOR_IN:
		return inner->relation == SELECTOR_IN &&
		       common_values(outer, inner) == inner->values_count;
	case SELECTOR_NOT_IN:
		return inner->relation == SELECTOR_NOT_EXISTS ||
		       (inner->relation == SELECTOR_NOT_IN &&
			       common_values(inner, outer) == outer->values_count) ||
		       (inner->relation == SELECTOR_IN && !common_values(outer, inner));
	case SELECTOR_EXISTS:
		return inner->relation == SELECTOR_EXISTS || inner->relation == SELECTOR_IN;
	case SELECTOR_NOT_EXISTS:
		return inner->relation == SELECTOR_NOT_EXISTS;
	}
	return false;
}

bool selector_covers(const struct selector *outer, const struct selector *inner)
{
	for (size_t i = 0; i < outer->count; i++) {
		bool implied = false;

		for (size_t k = 0; k < inner->count && !implied; k++)
			implied = implies(&inner->requirements[k], &outer->requirements[i]);
		if (!implied)
			return false;
	}
	return true;
}

static bool namespaces_cover(const struct model *model, const struct policy_workloads *outer,
	const struct policy_workloads *inner)
{
	const struct model_namespace *namespace;

	if (outer->namespace)
		return inner->namespace && strcmp(outer->namespace, inner->namespace) == 0;
	if (!inner->namespace)
		return selector_covers(&outer->namespaces, &inner->namespaces);
	namespace = model_find_namespace(model, inner->namespace);
	return !outer->namespaces.count ||
	       (namespace && selector_matches(&outer->namespaces, &namespace->labels));
}

bool workloads_cover(const struct model *model, const struct policy_workloads *outer,
	const struct policy_workloads *inner)
{
	return namespaces_cover(model, outer, inner) &&
	       selector_covers(&outer->labels, &inner->labels);
}

/* --- peers --------------------------------------------------------------------------------------
 */

static bool apart(const struct prefix *a, const struct prefix *b)
{
	return !prefix_covers(a, b) && !prefix_covers(b, a);
}

static bool is_excepted(const struct policy_peer *peer, const struct prefix *prefix)
{
	for (size_t i = 0; i < peer->except_count; i++)
		if (prefix_covers(&peer->except[i], prefix))
			return true;
	return false;
}

static bool cidr_covers(const struct policy_peer *outer, const struct policy_peer *inner)
{
	if (!prefix_covers(&outer->cidr, &inner->cidr))
		return false;
	for (size_t i = 0; i < outer->except_count; i++)
		if (!apart(&outer->except[i], &inner->cidr) &&
			!is_excepted(inner, &outer->except[i]))
			return false;
	return true;
}

bool peer_covers(
	const struct model *model, const struct policy_peer *outer, const struct policy_peer *inner)
{
	if (outer->kind == PEER_ENTITY && outer->entity == ENTITY_ALL)
		return true;
	if (outer->kind != inner->kind)
		return false;
	switch (outer->kind) {
	case PEER_WORKLOADS:
		return workloads_cover(model, &outer->workloads, &inner->workloads);
	case PEER_CIDR:
		return cidr_covers(outer, inner);
	case PEER_ENTITY:
		return outer->entity == inner->entity;
	case PEER_NODES:
		return selector_covers(&outer->workloads.labels, &inner->workloads.labels);
	}
	return false;
}

bool peers_cover(
	const struct model *model, const struct policy_rule *outer, const struct policy_rule *inner)
{
	const struct policy_peer everyone = {.kind = PEER_ENTITY, .entity = ENTITY_ALL};
	size_t count = inner->peers_count ? inner->peers_count : 1;

	if (!outer->peers_count)
		return true;
	for (size_t i = 0; i < count; i++) {
		const struct policy_peer *peer = inner->peers_count ? &inner->peers[i] : &everyone;
		bool covered = false;

		for (size_t k = 0; k < outer->peers_count && !covered; k++)
			covered = peer_covers(model, &outer->peers[k], peer);
		if (!covered)
			return false;
	}
	return true;
}

/* An exception that reaches into the prefix but does not cover it asks for a closer look at both
 * halves; there are no more such prefixes than bits in exceptions. */
static bool nothing_left(const struct policy_peer *peer, struct prefix prefix)
{
	struct prefix half = {prefix.address, (uint8_t)(prefix.length + 1)};
	bool touched = false;

	if (is_excepted(peer, &prefix))
		return true;
	for (size_t i = 0; i < peer->except_count && !touched; i++)
		touched = prefix_covers(&prefix, &peer->except[i]);
	if (!touched || prefix.length == ADDRESS_BITS || !nothing_left(peer, half))
		return false;
	half.address.bytes[prefix.length / 8] |= (uint8_t)(0x80 >> prefix.length % 8);
	return nothing_left(peer, half);
}

bool cidr_is_empty(const struct policy_peer *peer)
{
	return peer->except_count && nothing_left(peer, peer->cidr);
}

/* --- ports --------------------------------------------------------------------------------------
 */

bool port_covers(const struct policy_port *outer, const struct policy_port *inner)
{
	if (outer->protocol != inner->protocol)
		return false;
	if (outer->name)
		return inner->name && strcmp(outer->name, inner->name) == 0;
	if (inner->name)
		return outer->first <= 1 && outer->last == UINT16_MAX;
	return outer->first <= inner->first && inner->last <= outer->last;
}

bool ports_cover(const struct policy_rule *outer, const struct policy_rule *inner)
{
	if (!outer->ports_count || !inner->ports_count)
		return !outer->ports_count;
	for (size_t i = 0; i < inner->ports_count; i++) {
		bool covered = false;

		for (size_t k = 0; k < outer->ports_count && !covered; k++)
			covered = port_covers(&outer->ports[k], &inner->ports[i]);
		if (!covered)
			return false;
	}
	return true;
}
