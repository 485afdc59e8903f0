/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/chain.h"

#include "dataplane/nft/comment.h"

#include <errno.h>
#include <libnftnl/chain.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

static int fill(struct nftnl_chain *chain, const char *table, const char *name, const char *comment,
	const struct chain_hook *hook)
{
	int r = nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, table);

	r |= nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, name);
	if (comment) {
		struct comment text;

		comment_encode(&text, NFTNL_UDATA_CHAIN_COMMENT, comment);
		r |= nftnl_chain_set_data(chain, NFTNL_CHAIN_USERDATA, text.bytes, text.size);
	}
	if (hook) {
		nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, hook->number);
		nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, hook->priority);
		nftnl_chain_set_u32(chain, NFTNL_CHAIN_POLICY, NF_ACCEPT);
		r |= nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, "filter");
	}
	if (hook && hook->device)
		r |= nftnl_chain_set_str(chain, NFTNL_CHAIN_DEV, hook->device);
	return r ? -ENOMEM : 0;
}

int chain_write(
	struct batch *batch, const char *name, const char *comment, const struct chain_hook *hook)
{
	struct nftnl_chain *chain = nftnl_chain_alloc();
	struct nlmsghdr *message = NULL;

	if (!chain)
		return -ENOMEM;
	if (!fill(chain, batch_table(batch), name, comment, hook))
		message = batch_message(batch, NFT_MSG_NEWCHAIN, hook ? hook->family : BATCH_FAMILY,
			NLM_F_CREATE, "chain %s", name);
	if (message) {
		nftnl_chain_nlmsg_build_payload(message, chain);
		batch_message_done(batch);
	}
	nftnl_chain_free(chain);
	if (!message)
		return -ENOMEM;
	return batch_is_rewriting(batch) ? chain_write_flush(batch, name) : 0;
}

int chain_write_flush(struct batch *batch, const char *name)
{
	struct nlmsghdr *message = batch_message(
		batch, NFT_MSG_DELRULE, BATCH_FAMILY, 0, "removal of the rules of chain %s", name);

	if (!message)
		return -ENOMEM;
	mnl_attr_put_strz(message, NFTA_RULE_TABLE, batch_table(batch));
	mnl_attr_put_strz(message, NFTA_RULE_CHAIN, name);
	batch_message_done(batch);
	return 0;
}

int chain_write_removal(struct batch *batch, uint16_t family, const char *name)
{
	struct nlmsghdr *message =
		batch_message(batch, NFT_MSG_DELCHAIN, family, 0, "removal of chain %s", name);

	if (!message)
		return -ENOMEM;
	mnl_attr_put_strz(message, NFTA_CHAIN_TABLE, batch_table(batch));
	mnl_attr_put_strz(message, NFTA_CHAIN_NAME, name);
	batch_message_done(batch);
	return 0;
}
