/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/blame.h"

#include "base/address.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/ethernet.h>
#include <netinet/ether.h>
#include <stdio.h>
#include <string.h>

#define KEY_TEXT_MAX    192
#define CHAIN_TEXT_MAX  256
#define RULE_TEXT_MAX   160
#define POLICY_TEXT_MAX (RULE_TEXT_MAX + 32)

/* --- keys ---------------------------------------------------------------------------------------
 */

static size_t field_bytes(enum field field)
{
	switch (field) {
	case FIELD_IPV6:
		return 16;
	case FIELD_MAC:
		return 8; /* in whole words */
	default:
		return 4;
	}
}

static void format_field(enum field field, const uint8_t *bytes, char *text, size_t size)
{
	struct ether_addr mac;
	uint32_t index;

	switch (field) {
	case FIELD_IPV4:
		snprintf(text, size, "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
		break;
	case FIELD_IPV6:
		if (!inet_ntop(AF_INET6, bytes, text, (socklen_t)size))
			*text = '\0';
		break;
	case FIELD_MAC:
		memcpy(&mac, bytes, sizeof(mac));
		snprintf(text, size, "%s", ether_ntoa(&mac));
		break;
	case FIELD_INTERFACE:
		memcpy(&index, bytes, sizeof(index));
		snprintf(text, size, "interface %u", index);
		break;
	case FIELD_PORT:
		snprintf(text, size, "%u", (unsigned int)(bytes[0] << 8 | bytes[1]));
		break;
	default:
		snprintf(text, size, "%u", bytes[0]);
		break;
	}
}

void blame_format_key(
	const struct shape *shape, const uint8_t *key, size_t length, char *text, size_t size)
{
	char field[INET6_ADDRSTRLEN + 1];
	size_t at = 0, used = 0;

	*text = '\0';
	for (size_t i = 0; shape->fields[i]; i++) {
		uint8_t bytes[16] = {0};
		size_t left = length > at ? length - at : 0;
		size_t wanted = field_bytes(shape->fields[i]);

		memcpy(bytes, key + at, left < wanted ? left : wanted);
		format_field(shape->fields[i], bytes, field, sizeof(field));
		if (used < size)
			used += (size_t)snprintf(
				text + used, size - used, "%s%s", used ? " . " : "", field);
		at += left < wanted ? left : wanted;
	}
}

/* --- policies -----------------------------------------------------------------------------------
 */

static const struct ruleset_chain *find_chain(const struct ruleset *plan, const char *name)
{
	return ruleset_find_chain(plan, identity_add_text(IDENTITY_START, name));
}

/* ", policy shop/db", or "" where the chain is of no single policy. */
static void format_policy(const struct table_change *change, const struct ruleset_chain *chain,
	char *text, size_t size)
{
	char rule[RULE_TEXT_MAX];

	*text = '\0';
	if (!chain || !change->ir)
		return;
	if (chain->kind == CHAIN_PEERS && chain->index < change->ir->peer_tables_count) {
		snprintf(text, size, ", policy %s", change->ir->peer_tables[chain->index].name);
	} else if (chain->kind == CHAIN_REFUSAL && chain->index < change->ir->rules_count) {
		ir_rule_format(&change->ir->rules[chain->index], rule, sizeof(rule));
		snprintf(text, size, ", %s", rule);
	}
}

/* A set that only one chain uses has the chain's name before its own. */
static const struct ruleset_chain *chain_of_set(const struct ruleset *plan, const char *set)
{
	const char *dash = strrchr(set, '-');
	char name[CHAIN_TEXT_MAX];

	if (!dash)
		return NULL;
	snprintf(name, sizeof(name), "%.*s", (int)(dash - set), set);
	return find_chain(plan, name);
}

/* --- messages -----------------------------------------------------------------------------------
 */

struct attributes {
	const struct nlattr *items[16];
};

static int collect(const struct nlattr *attribute, void *userdata)
{
	struct attributes *attributes = userdata;
	uint16_t type = mnl_attr_get_type(attribute);

	if (type < sizeof(attributes->items) / sizeof(attributes->items[0]))
		attributes->items[type] = attribute;
	return MNL_CB_OK;
}

static const char *get_text(const struct attributes *attributes, uint16_t type)
{
	return attributes->items[type] ? mnl_attr_get_str(attributes->items[type]) : "";
}

static struct attributes nested(const struct nlattr *attribute)
{
	struct attributes attributes = {0};

	if (attribute)
		mnl_attr_parse_nested(attribute, collect, &attributes);
	return attributes;
}

/* The element of the list in which the offset lies. */
static const struct nlattr *element_at(
	const struct nlmsghdr *message, const struct nlattr *list, size_t offset)
{
	const struct nlattr *element;

	mnl_attr_for_each_nested(element, list)
	{
		size_t start = (size_t)((const uint8_t *)element - (const uint8_t *)message);

		if (offset >= start && offset < start + mnl_attr_get_len(element))
			return element;
	}
	return NULL;
}

/* Where the element leads, and whose policy is behind it. */
static void format_target(const struct table_change *change, const struct ruleset_set *set,
	const struct attributes *element, char *text, size_t size)
{
	struct attributes data = nested(element->items[NFTA_SET_ELEM_DATA]);
	struct attributes verdict = nested(data.items[NFTA_DATA_VERDICT]);
	const char *leads_to = get_text(&verdict, NFTA_VERDICT_CHAIN);
	char policy[POLICY_TEXT_MAX];

	format_policy(change,
		set->mutable ? find_chain(change->plan, leads_to)
			     : chain_of_set(change->plan, set->name),
		policy, sizeof(policy));
	if (*leads_to)
		snprintf(text, size, " (to chain %s%s)", leads_to, policy);
	else
		snprintf(text, size, "%s", policy);
}

static bool explain_element(const struct table_change *change, const struct nlmsghdr *message,
	const struct attributes *attributes, size_t offset, char *text, size_t size)
{
	const struct nlattr *list = attributes->items[NFTA_SET_ELEM_LIST_ELEMENTS];
	const struct nlattr *refused = list ? element_at(message, list, offset) : NULL;
	const struct ruleset_set *set =
		ruleset_find_set(change->plan, get_text(attributes, NFTA_SET_ELEM_LIST_SET));
	struct attributes element = nested(refused);
	struct attributes value = nested(element.items[NFTA_SET_ELEM_KEY]);
	const struct nlattr *bytes = value.items[NFTA_DATA_VALUE];
	bool removal = (message->nlmsg_type & 0xff) == NFT_MSG_DELSETELEM;
	char key[KEY_TEXT_MAX], target[2 * CHAIN_TEXT_MAX];

	if (!set || !bytes)
		return false;
	blame_format_key(&set->shape, mnl_attr_get_payload(bytes), mnl_attr_get_payload_len(bytes),
		key, sizeof(key));
	format_target(change, set, &element, target, sizeof(target));
	snprintf(text, size, "%s element %s of %s %s%s", removal ? "removal of" : "new", key,
		set->shape.verdicts ? "map" : "set", set->name, target);
	return true;
}

static bool explain_chain(const struct table_change *change, const char *what, const char *name,
	char *text, size_t size)
{
	char policy[POLICY_TEXT_MAX];

	format_policy(change, find_chain(change->plan, name), policy, sizeof(policy));
	snprintf(text, size, "%s %s%s", what, name, policy);
	return *policy;
}

bool blame_explain(
	const struct nlmsghdr *message, size_t offset, char *text, size_t size, void *userdata)
{
	const struct table_change *change = userdata;
	struct attributes attributes = {0};

	mnl_attr_parse(message, sizeof(struct nfgenmsg), collect, &attributes);
	switch (message->nlmsg_type & 0xff) {
	case NFT_MSG_NEWSETELEM:
	case NFT_MSG_DELSETELEM:
		return explain_element(change, message, &attributes, offset, text, size);
	case NFT_MSG_NEWCHAIN:
		return explain_chain(
			change, "chain", get_text(&attributes, NFTA_CHAIN_NAME), text, size);
	case NFT_MSG_NEWRULE:
		return explain_chain(change, "rule of chain",
			get_text(&attributes, NFTA_RULE_CHAIN), text, size);
	default:
		return false;
	}
}
