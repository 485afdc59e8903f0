/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/lock/lock_layout.h"

#include "base/cleanup.h"
#include "dataplane/nft/chain.h"
#include "dataplane/nft/refusal.h"
#include "dataplane/nft/rule.h"
#include "dataplane/nft/set.h"
#include "xdp/abi.h"
#include "xdp/reasons.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <net/ethernet.h>
#include <stdio.h>

#define FIRST         (-500)
#define LAST          INT32_MAX
#define SEAL          "seal"
#define NAME_MAX_SIZE 32

static const struct side {
	const char *verb;
	uint32_t hook;
	int32_t priority;
} sides[] = {
	{"leaves", NF_NETDEV_INGRESS, FIRST},
	{"enters", NF_NETDEV_EGRESS, LAST},
};

static void format_chain(char name[static NAME_MAX_SIZE], size_t side, uint32_t ifindex)
{
	snprintf(name, NAME_MAX_SIZE, "%s-%u", sides[side].verb, ifindex);
}

static void format_marked(char name[static NAME_MAX_SIZE], uint32_t mark)
{
	snprintf(name, NAME_MAX_SIZE, "marked-0x%x", mark);
}

uint32_t lock_layout_mark(const char *chain)
{
	unsigned int mark;

	return sscanf(chain, "marked-0x%x", &mark) == 1 ? mark : 0;
}

uint32_t lock_layout_interface(const char *chain)
{
	unsigned int ifindex;

	return sscanf(chain, "leaves-%u", &ifindex) == 1 ||
			       sscanf(chain, "enters-%u", &ifindex) == 1
		       ? ifindex
		       : 0;
}

int lock_layout_begin(struct batch **ret)
{
	int r = batch_new(ret);

	if (r < 0)
		return r;
	batch_set_family(*ret, NFPROTO_NETDEV);
	batch_set_table(*ret, LOCK_TABLE);
	return 0;
}

static int write_table(struct batch *batch, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message =
		batch_message(batch, type, NFPROTO_NETDEV, flags, "table netdev %s", LOCK_TABLE);

	if (!message)
		return -ENOMEM;
	mnl_attr_put_strz(message, NFTA_TABLE_NAME, LOCK_TABLE);
	batch_message_done(batch);
	return 0;
}

int lock_layout_write_removal(struct batch *batch)
{
	return write_table(batch, NFT_MSG_DELTABLE, 0);
}

/* One that is not there cannot be removed. */
int lock_layout_write_new(struct batch *batch)
{
	int r = write_table(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE);

	if (!r)
		r = lock_layout_write_removal(batch);
	return r ? r : write_table(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE);
}

static int write_marked(struct batch *batch, uint32_t mark)
{
	static const struct shape counting = {
		.fields = {FIELD_INTERFACE}, .dynamic = true, .size = ABI_MAX_ENDPOINTS};
	static const uint32_t nothing;
	const char *set = refusal_reason_name(REASON_SECOND_LOCK);
	char chain[NAME_MAX_SIZE];
	struct rule rule;
	int r = set_write(batch, set, &counting);

	format_marked(chain, mark);
	if (!r)
		r = chain_write(batch, chain, "what segd's program has passed", NULL);
	if (r < 0)
		return r;
	rule_begin(&rule, chain);
	rule_key_mark(&rule);
	rule_bitwise(&rule, &mark, &nothing, sizeof(mark));
	rule_compare(&rule, NFT_CMP_EQ, &mark, sizeof(mark));
	rule_verdict(&rule, NF_ACCEPT, NULL);
	r = rule_write(&rule, batch, NULL);
	if (r < 0)
		return r;
	/* A full set breaks off this rule; the next one drops all the same. */
	rule_begin(&rule, chain);
	rule_key_interface(&rule);
	rule_add_counted(&rule, set);
	r = rule_write(&rule, batch, NULL);
	if (r < 0)
		return r;
	rule_begin(&rule, chain);
	rule_verdict(&rule, NF_DROP, NULL);
	return rule_write(&rule, batch, NULL);
}

static int write_seal(struct batch *batch)
{
	static const struct {
		uint16_t type;
		uint8_t open, sealed;
	} kinds[] = {
		{ETHERTYPE_IP, 0x40, ABI_SEAL_IPV4},
		{ETHERTYPE_IPV6, 0x60, ABI_SEAL_IPV6},
		{ETHERTYPE_ARP, 0, ABI_SEAL_ARP},
	};
	static const uint8_t high = ABI_SEAL_MASK, low = (uint8_t)~ABI_SEAL_MASK, nothing = 0;
	int r = chain_write(batch, SEAL, "what segd's program is to open", NULL);

	for (size_t i = 0; !r && i < ARRAY_SIZE(kinds); i++) {
		struct rule rule;

		rule_begin(&rule, SEAL);
		rule_ethertype(&rule, kinds[i].type);
		rule_key_payload(&rule, NFT_PAYLOAD_NETWORK_HEADER, 0, 1);
		rule_bitwise(&rule, &high, &nothing, 1);
		rule_compare(&rule, NFT_CMP_EQ, &kinds[i].open, 1);
		rule_key_payload(&rule, NFT_PAYLOAD_NETWORK_HEADER, 0, 1);
		rule_bitwise(&rule, &low, &kinds[i].sealed, 1);
		rule_store_payload(&rule, NFT_PAYLOAD_NETWORK_HEADER, 0, 1);
		rule_verdict(&rule, NF_ACCEPT, NULL);
		r = rule_write(&rule, batch, NULL);
	}
	return r;
}

int lock_layout_write_fixed(struct batch *batch, uint32_t mark)
{
	int r = write_marked(batch, mark);

	return r ? r : write_seal(batch);
}

int lock_layout_write_interface(
	struct batch *batch, uint32_t ifindex, const char *name, uint32_t mark)
{
	char marked[NAME_MAX_SIZE];
	int r = 0;

	format_marked(marked, mark);
	for (size_t i = 0; !r && i < ARRAY_SIZE(sides); i++) {
		const struct chain_hook hook = {
			NFPROTO_NETDEV, sides[i].hook, sides[i].priority, name};
		char chain[NAME_MAX_SIZE];
		struct rule rule;

		format_chain(chain, i, ifindex);
		r = chain_write(batch, chain, name, &hook);
		if (r < 0)
			return r;
		rule_begin(&rule, chain);
		rule_verdict(&rule, NFT_GOTO, sides[i].hook == NF_NETDEV_EGRESS ? SEAL : marked);
		r = rule_write(&rule, batch, NULL);
	}
	return r;
}

int lock_layout_write_interface_removal(struct batch *batch, uint32_t ifindex)
{
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(sides); i++) {
		char chain[NAME_MAX_SIZE];

		format_chain(chain, i, ifindex);
		r = chain_write_removal(batch, NFPROTO_NETDEV, chain);
	}
	return r;
}
