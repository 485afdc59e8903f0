/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/set.h"

#include <errno.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

/* nft's own numbers of data types: the kernel only keeps them for whoever lists the set. A
 * concatenation is a number with six bits for each field. */
#define DATATYPE_BITS    6
#define DATATYPE_VERDICT 0xffffff00U
#define BYTEORDER_HOST   1U
#define BYTEORDER_BIG    2U
#define USERDATA_BYTES   64

static const struct {
	uint32_t datatype;
	uint32_t bytes;
} field_types[] = {
	[FIELD_IPV4] = {7, 4},
	[FIELD_IPV6] = {8, 16},
	[FIELD_PROTOCOL] = {12, 1},
	[FIELD_PORT] = {13, 2},
	[FIELD_ICMP_TYPE] = {14, 1},
	[FIELD_ICMP_CODE] = {32, 1},
	[FIELD_ICMPV6_TYPE] = {29, 1},
	[FIELD_ICMPV6_CODE] = {33, 1},
	[FIELD_INTERFACE] = {20, 4},
	[FIELD_MAC] = {9, 6},
	[FIELD_FAMILY] = {2, 1},
};

static uint32_t flags_of(const struct shape *shape)
{
	uint32_t flags = 0;

	if (shape->ranges)
		flags |= NFT_SET_INTERVAL;
	if (shape->ranges && shape->fields[1])
		flags |= NFT_SET_CONCAT;
	if (shape->verdicts)
		flags |= NFT_SET_MAP;
	if (shape->timeouts)
		flags |= NFT_SET_TIMEOUT;
	if (shape->dynamic)
		flags |= NFT_SET_EVAL;
	return flags;
}

static int fill_key(struct nftnl_set *set, const struct shape *shape)
{
	uint8_t lengths[SHAPE_FIELDS_MAX];
	uint32_t type = 0, bytes = 0, count = 0;

	for (; shape->fields[count]; count++) {
		lengths[count] = (uint8_t)field_types[shape->fields[count]].bytes;
		type = type << DATATYPE_BITS | field_types[shape->fields[count]].datatype;
		bytes += (lengths[count] + 3U) & ~3U;
	}
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, count == 1 ? lengths[0] : bytes);
	if (shape->ranges && count > 1)
		return nftnl_set_set_data(set, NFTNL_SET_DESC_CONCAT, lengths, count);
	return 0;
}

static int fill(
	struct nftnl_set *set, const char *table, const char *name, const struct shape *shape)
{
	struct nftnl_udata_buf *userdata;
	int r;

	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, flags_of(shape));
	nftnl_set_set_u32(set, NFTNL_SET_ID, 1);
	if (shape->verdicts) {
		nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, DATATYPE_VERDICT);
		nftnl_set_set_u32(set, NFTNL_SET_DATA_LEN, 0);
	}
	if (shape->size)
		nftnl_set_set_u32(set, NFTNL_SET_DESC_SIZE, shape->size);
	userdata = nftnl_udata_buf_alloc(USERDATA_BYTES);
	if (!userdata)
		return -ENOMEM;
	nftnl_udata_put_u32(userdata, NFTNL_UDATA_SET_KEYBYTEORDER,
		shape->fields[0] == FIELD_INTERFACE ? BYTEORDER_HOST : BYTEORDER_BIG);
	r = nftnl_set_set_data(set, NFTNL_SET_USERDATA, nftnl_udata_buf_data(userdata),
		nftnl_udata_buf_len(userdata));
	nftnl_udata_buf_free(userdata);
	if (r < 0 || fill_key(set, shape) < 0 ||
		nftnl_set_set_str(set, NFTNL_SET_TABLE, table) < 0 ||
		nftnl_set_set_str(set, NFTNL_SET_NAME, name) < 0)
		return -ENOMEM;
	return 0;
}

int set_write(struct batch *batch, const char *name, const struct shape *shape)
{
	struct nftnl_set *set = nftnl_set_alloc();
	struct nlmsghdr *message = NULL;

	if (!set)
		return -ENOMEM;
	if (!fill(set, batch_table(batch), name, shape))
		message = batch_message(batch, NFT_MSG_NEWSET, BATCH_FAMILY, NLM_F_CREATE, "%s %s",
			shape->verdicts ? "map" : "set", name);
	if (message) {
		nftnl_set_nlmsg_build_payload(message, set);
		batch_message_done(batch);
	}
	nftnl_set_free(set);
	if (!message)
		return -ENOMEM;
	/* What packets have put into a set stays, and so does what time takes out again. */
	if (!batch_is_rewriting(batch) || shape->dynamic || shape->timeouts)
		return 0;
	return set_write_flush(batch, name);
}

int set_write_flush(struct batch *batch, const char *name)
{
	struct nlmsghdr *message =
		batch_message(batch, NFT_MSG_DELSETELEM, BATCH_FAMILY, 0, "flush of set %s", name);

	if (!message)
		return -ENOMEM;
	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, batch_table(batch));
	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, name);
	batch_message_done(batch);
	return 0;
}

int set_write_removal(struct batch *batch, const char *name)
{
	struct nlmsghdr *message =
		batch_message(batch, NFT_MSG_DELSET, BATCH_FAMILY, 0, "removal of set %s", name);

	if (!message)
		return -ENOMEM;
	mnl_attr_put_strz(message, NFTA_SET_TABLE, batch_table(batch));
	mnl_attr_put_strz(message, NFTA_SET_NAME, name);
	batch_message_done(batch);
	return 0;
}
