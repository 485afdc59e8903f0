/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/layout.h"

#include "dataplane/nft/comment.h"
#include "dataplane/nft/element.h"
#include "dataplane/nft/packet_path.h"
#include "dataplane/nft/refusal.h"

#include <errno.h>
#include <libnftnl/object.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>

const char *layout_dispatch_map(enum direction direction, bool ipv4)
{
	static const char *const names[DIRECTION_COUNT][2] = {
		[DIRECTION_INGRESS] = {"ingress6", "ingress4"},
		[DIRECTION_EGRESS] = {"egress6", "egress4"},
	};

	return names[direction][ipv4];
}

const char *layout_workloads(bool ipv4)
{
	return ipv4 ? "workloads4" : "workloads6";
}

const char *layout_self(bool ipv4)
{
	return ipv4 ? "self4" : "self6";
}

const char *layout_addresses(bool ipv4)
{
	return ipv4 ? "addresses4" : "addresses6";
}

const char *layout_node(bool ipv4)
{
	return ipv4 ? "node4" : "node6";
}

const char *layout_host_map(enum direction direction)
{
	return direction == DIRECTION_INGRESS ? "host-ingress" : "host-egress";
}

const char *layout_failsafe(enum direction direction)
{
	return direction == DIRECTION_INGRESS ? "failsafe-ingress" : "failsafe-egress";
}

const char *layout_adopting(bool ipv4)
{
	return ipv4 ? "adopting4" : "adopting6";
}

const struct shape *layout_dispatch_shape(bool ipv4)
{
	static const struct shape shapes[2] = {
		{.fields = {FIELD_IPV6}, .verdicts = true},
		{.fields = {FIELD_IPV4}, .verdicts = true},
	};

	return &shapes[ipv4];
}

const struct shape *layout_workloads_shape(bool ipv4)
{
	static const struct shape shapes[2] = {{.fields = {FIELD_IPV6}}, {.fields = {FIELD_IPV4}}};

	return &shapes[ipv4];
}

const struct shape *layout_self_shape(bool ipv4)
{
	static const struct shape shapes[2] = {
		{.fields = {FIELD_IPV6, FIELD_IPV6}},
		{.fields = {FIELD_IPV4, FIELD_IPV4}},
	};

	return &shapes[ipv4];
}

int layout_write_table(struct batch *batch, const char *comment)
{
	struct nftnl_table *table = nftnl_table_alloc();
	struct nlmsghdr *message = NULL;
	struct comment text;

	if (!table)
		return -ENOMEM;
	comment_encode(&text, NFTNL_UDATA_TABLE_COMMENT, comment);
	/* Awake, whatever somebody made of one that is there. */
	nftnl_table_set_u32(table, NFTNL_TABLE_FLAGS, 0);
	if (!nftnl_table_set_str(table, NFTNL_TABLE_NAME, batch_table(batch)) &&
		!nftnl_table_set_data(table, NFTNL_TABLE_USERDATA, text.bytes, text.size))
		message = batch_message(batch, NFT_MSG_NEWTABLE, NFPROTO_INET, NLM_F_CREATE,
			"table inet %s", batch_table(batch));
	if (message) {
		nftnl_table_nlmsg_build_payload(message, table);
		batch_message_done(batch);
	}
	nftnl_table_free(table);
	return message ? 0 : -ENOMEM;
}

int layout_write_counter(struct batch *batch, const char *name)
{
	struct nftnl_obj *counter = nftnl_obj_alloc();
	struct nlmsghdr *message;

	if (!counter)
		return -ENOMEM;
	nftnl_obj_set_u32(counter, NFTNL_OBJ_FAMILY, NFPROTO_INET);
	nftnl_obj_set_str(counter, NFTNL_OBJ_TABLE, batch_table(batch));
	nftnl_obj_set_str(counter, NFTNL_OBJ_NAME, name);
	nftnl_obj_set_u32(counter, NFTNL_OBJ_TYPE, NFT_OBJECT_COUNTER);
	nftnl_obj_set_u64(counter, NFTNL_OBJ_CTR_PKTS, 0);
	nftnl_obj_set_u64(counter, NFTNL_OBJ_CTR_BYTES, 0);
	message = batch_message(
		batch, NFT_MSG_NEWOBJ, NFPROTO_INET, NLM_F_CREATE, "counter %s", name);
	if (message) {
		nftnl_obj_nlmsg_build_payload(message, counter);
		batch_message_done(batch);
	}
	nftnl_obj_free(counter);
	return message ? 0 : -ENOMEM;
}

int layout_write_bytes(
	struct batch *batch, const char *name, enum field field, const uint8_t *bytes, size_t count)
{
	const struct shape shape = {.fields = {field}};
	struct element_list elements = {0};
	int r = set_write(batch, name, &shape);

	for (size_t i = 0; !r && i < count; i++) {
		struct element element = {.key = {bytes[i]}, .key_length = 1};

		element.target.code = TARGET_NONE;
		r = element_list_add(&elements, &element);
	}
	if (!r)
		r = element_list_write(
			batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE, name, &elements, NULL, NULL);
	element_list_clear(&elements);
	return r;
}

static int write_sets(struct batch *batch)
{
	static const uint8_t transports[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP};
	static const uint8_t icmp[] = {IPPROTO_ICMP, IPPROTO_ICMPV6};
	static const uint8_t discovery[] = {ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT};
	int r = layout_write_bytes(
		batch, LAYOUT_TRANSPORTS, FIELD_PROTOCOL, transports, sizeof(transports));

	if (!r)
		r = layout_write_bytes(
			batch, LAYOUT_ICMP_PROTOCOLS, FIELD_PROTOCOL, icmp, sizeof(icmp));
	if (!r)
		r = layout_write_bytes(batch, LAYOUT_NEIGHBOUR_DISCOVERY, FIELD_ICMPV6_TYPE,
			discovery, sizeof(discovery));
	for (int ipv4 = 0; !r && ipv4 < 2; ipv4++) {
		const struct shape adopting = {
			.fields = {ipv4 ? FIELD_IPV4 : FIELD_IPV6}, .timeouts = true};

		r = set_write(batch, layout_adopting(ipv4), &adopting);
	}
	return r;
}

int layout_write(struct batch *batch, const char *comment, uint16_t nflog_group)
{
	int r = layout_write_table(batch, comment);

	for (size_t i = 0; !r && i < REFUSAL_REASONS; i++)
		r = layout_write_counter(batch, refusal_reason_name(refusal_reason(i)));
	if (!r)
		r = layout_write_counter(batch, REFUSAL_OVERFLOW);
	if (!r)
		r = write_sets(batch);
	if (!r)
		r = refusal_write_layout(batch, nflog_group);
	return r;
}
