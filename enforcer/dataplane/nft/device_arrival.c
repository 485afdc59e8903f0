/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/device_arrival.h"

#include "base/cleanup.h"
#include "dataplane/nft/device_discovery.h"
#include "dataplane/nft/device_rule.h"
#include "dataplane/nft/set.h"

#include <linux/netfilter.h>
#include <net/ethernet.h>
#include <netinet/in.h>

static int write_sets(struct batch *batch)
{
	static const struct {
		const char *name;
		struct shape shape;
	} sets[] = {
		{DEVICE_AT4, {.fields = {FIELD_INTERFACE, FIELD_IPV4}}},
		{DEVICE_AT6, {.fields = {FIELD_INTERFACE, FIELD_IPV6}}},
		{DEVICE_DEAF, {.fields = {FIELD_INTERFACE}}},
		{DEVICE_FROM4, {.fields = {FIELD_INTERFACE, FIELD_IPV4}}},
		{DEVICE_FROM6, {.fields = {FIELD_INTERFACE, FIELD_IPV6}}},
	};
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(sets); i++)
		r = set_write(batch, sets[i].name, &sets[i].shape);
	return r;
}

static int write_accept(struct batch *batch, bool ipv4, enum rule_side side, const char *set)
{
	struct rule rule;

	rule_begin(&rule, DEVICE_ARRIVAL);
	rule_ethertype(&rule, ipv4 ? ETHERTYPE_IP : ETHERTYPE_IPV6);
	rule_key_interface_out(&rule);
	rule_key_address(&rule, ipv4, side);
	rule_lookup(&rule, set);
	return device_rule_end(&rule, batch, NF_ACCEPT);
}

int device_arrival_write(struct batch *batch)
{
	struct rule rule;
	int r = write_sets(batch);

	if (!r)
		r = device_chain_write(
			batch, DEVICE_ARRIVAL, "what is for others, only if no policy refuses any");
	if (!r)
		r = write_accept(batch, true, RULE_DESTINATION, DEVICE_AT4);
	if (!r)
		r = write_accept(batch, false, RULE_DESTINATION, DEVICE_AT6);
	if (!r) {
		rule_begin(&rule, DEVICE_ARRIVAL);
		rule_key_interface_out(&rule);
		rule_lookup_not(&rule, DEVICE_DEAF);
		r = device_rule_end(&rule, batch, NF_ACCEPT);
	}
	if (!r)
		r = write_accept(batch, true, RULE_SOURCE, DEVICE_FROM4);
	if (!r)
		r = write_accept(batch, false, RULE_SOURCE, DEVICE_FROM6);
	if (!r) {
		rule_begin(&rule, DEVICE_ARRIVAL);
		rule_later_fragment(&rule, false);
		r = device_rule_refuse(&rule, batch, REASON_POLICY_DENIED);
	}
	if (!r)
		r = device_discovery_write_passage(batch, DEVICE_ARRIVAL);
	for (int ipv4 = 1; !r && ipv4 >= 0; ipv4--) {
		rule_begin(&rule, DEVICE_ARRIVAL);
		rule_ethertype(&rule, ipv4 ? ETHERTYPE_IP : ETHERTYPE_IPV6);
		r = device_rule_refuse(&rule, batch, REASON_POLICY_DENIED);
	}
	return r;
}
