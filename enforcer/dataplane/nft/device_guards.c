/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/device_guards.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "dataplane/nft/batch.h"
#include "dataplane/nft/chain.h"
#include "dataplane/nft/layout.h"
#include "dataplane/nft/listing.h"
#include "dataplane/nft/netlink.h"

#include <errno.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#define PRIORITY       (-500) /* before whatever else looks at the device */
#define NAME_MAX_BYTES 64

static const struct {
	const char *suffix;
	uint32_t hook;
} sides[] = {
	{"in", NF_NETDEV_INGRESS},
	{"out", NF_NETDEV_EGRESS},
};

struct guard {
	uint32_t ifindex;
	UT_hash_handle hh;
};

struct device_guards {
	struct mnl_socket *socket;
	struct guard *items;
};

/* By index: names are reused, and may hold what nft cannot read. */
static void format_name(char name[static NAME_MAX_BYTES], uint32_t ifindex, size_t side)
{
	snprintf(name, NAME_MAX_BYTES, "guard-%u-%s", ifindex, sides[side].suffix);
}

static int remember(struct device_guards *guards, uint32_t ifindex)
{
	struct guard *guard = calloc(1, sizeof(*guard));

	if (!guard)
		return -ENOMEM;
	guard->ifindex = ifindex;
	HASH_ADD(hh, guards->items, ifindex, sizeof(guard->ifindex), guard);
	if (HASH_ADDED(guard))
		return 0;
	free(guard);
	return -ENOMEM;
}

static struct guard *find(const struct device_guards *guards, uint32_t ifindex)
{
	struct guard *guard;

	HASH_FIND(hh, guards->items, &ifindex, sizeof(ifindex), guard);
	return guard;
}

static int take_chain(const char *name, void *userdata)
{
	unsigned int ifindex;

	if (sscanf(name, "guard-%u-", &ifindex) != 1 || find(userdata, ifindex))
		return 0;
	return remember(userdata, ifindex);
}

int device_guards_open(struct device_guards **ret, struct error *error)
{
	_cleanup_(device_guards_freep) struct device_guards *guards = calloc(1, sizeof(*guards));
	int r;

	if (!guards)
		return error_nomem(error);
	r = netlink_open(&guards->socket, error);
	if (r < 0)
		return r;
	r = listing_chains(guards->socket, NFPROTO_NETDEV, LAYOUT_TABLE, take_chain, guards);
	if (r < 0)
		return error_errno(error, r, "read table netdev %s", LAYOUT_TABLE);
	*ret = TAKE_PTR(guards);
	return 0;
}

void device_guards_free(struct device_guards *guards)
{
	struct guard *guard, *next;

	if (!guards)
		return;
	HASH_ITER (hh, guards->items, guard, next) {
		HASH_DEL(guards->items, guard);
		free(guard);
	}
	netlink_closep(&guards->socket);
	free(guards);
}

static int write_table(struct batch *batch, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message =
		batch_message(batch, type, NFPROTO_NETDEV, flags, "table netdev %s", LAYOUT_TABLE);

	if (!message)
		return -ENOMEM;
	mnl_attr_put_strz(message, NFTA_TABLE_NAME, LAYOUT_TABLE);
	batch_message_done(batch);
	return 0;
}

static bool add_expression(struct nftnl_rule *rule, const char *name)
{
	struct nftnl_expr *expression = nftnl_expr_alloc(name);

	if (!expression)
		return false;
	if (!strcmp(name, "immediate")) {
		nftnl_expr_set_u32(expression, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
		nftnl_expr_set_u32(expression, NFTNL_EXPR_IMM_VERDICT, NF_DROP);
	}
	nftnl_rule_add_expr(rule, expression);
	return true;
}

/* "counter drop" */
static int write_rule(struct batch *batch, const char *chain)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();
	struct nlmsghdr *message = NULL;

	if (rule && !nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, LAYOUT_TABLE) &&
		!nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain) &&
		add_expression(rule, "counter") && add_expression(rule, "immediate"))
		message = batch_message(batch, NFT_MSG_NEWRULE, NFPROTO_NETDEV,
			NLM_F_CREATE | NLM_F_APPEND, "rule of chain %s", chain);
	if (message) {
		nftnl_rule_nlmsg_build_payload(message, rule);
		batch_message_done(batch);
	}
	if (rule)
		nftnl_rule_free(rule);
	return message ? 0 : -ENOMEM;
}

static int write_guard(struct batch *batch, uint32_t ifindex, const char *device)
{
	int r = write_table(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE);

	for (size_t i = 0; !r && i < ARRAY_SIZE(sides); i++) {
		const struct chain_hook hook = {NFPROTO_NETDEV, sides[i].hook, PRIORITY, device};
		char name[NAME_MAX_BYTES];

		format_name(name, ifindex, i);
		r = chain_write(batch, name, device, &hook);
		if (!r)
			r = write_rule(batch, name);
	}
	return r;
}

int device_guards_add(
	struct device_guards *guards, uint32_t ifindex, const char *name, struct error *error)
{
	_cleanup_(batch_freep) struct batch *batch = NULL;
	int r;

	if (find(guards, ifindex))
		return 0;
	r = batch_new(&batch);
	if (!r)
		r = write_guard(batch, ifindex, name);
	if (r < 0)
		return error_nomem(error);
	r = batch_send(batch, guards->socket, NULL, NULL, error);
	if (r < 0)
		return error_context(error, r, "guard interface %s", name);
	return remember(guards, ifindex) < 0 ? error_nomem(error) : 0;
}

int device_guards_repair(struct device_guards *guards, struct error *error)
{
	_cleanup_(batch_freep) struct batch *batch = NULL;
	char name[IF_NAMESIZE];
	int r = batch_new(&batch);

	if (!r)
		batch_set_rewriting(batch, true);
	for (struct guard *guard = guards->items; !r && guard; guard = guard->hh.next)
		if (if_indextoname(guard->ifindex, name))
			r = write_guard(batch, guard->ifindex, name);
	if (r < 0)
		return error_nomem(error);
	r = batch_send(batch, guards->socket, NULL, NULL, error);
	return r < 0 ? error_context(error, r, "guard interfaces again") : 0;
}

static int send_removal(
	struct device_guards *guards, uint32_t ifindex, size_t side, struct error *error)
{
	_cleanup_(batch_freep) struct batch *batch = NULL;
	char name[NAME_MAX_BYTES];
	int r = batch_new(&batch);

	format_name(name, ifindex, side);
	if (!r)
		r = chain_write_removal(batch, NFPROTO_NETDEV, name);
	if (r < 0)
		return error_nomem(error);
	r = batch_send(batch, guards->socket, NULL, NULL, error);
	/* With its interface the kernel takes the chain away, too. */
	return r == -ENOENT ? 0 : r;
}

int device_guards_remove(struct device_guards *guards, uint32_t ifindex, struct error *error)
{
	struct guard *guard = find(guards, ifindex);

	if (!guard)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(sides); i++) {
		int r = send_removal(guards, ifindex, i, error);

		if (r < 0)
			return r;
	}
	HASH_DEL(guards->items, guard);
	free(guard);
	return 0;
}

void device_guards_prune(struct device_guards *guards)
{
	struct guard *guard, *next;
	char name[IF_NAMESIZE];

	HASH_ITER (hh, guards->items, guard, next)
		if (!if_indextoname(guard->ifindex, name))
			(void)device_guards_remove(guards, guard->ifindex, NULL);
}

int device_guards_remove_all(struct device_guards *guards, struct error *error)
{
	_cleanup_(batch_freep) struct batch *batch = NULL;
	int r = batch_new(&batch);

	if (!r)
		r = write_table(batch, NFT_MSG_DELTABLE, 0);
	if (r < 0)
		return error_nomem(error);
	r = batch_send(batch, guards->socket, NULL, NULL, error);
	return r == -ENOENT ? 0 : r;
}
