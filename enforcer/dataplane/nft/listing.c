/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/listing.h"

#include "base/cleanup.h"
#include "dataplane/nft/comment.h"
#include "dataplane/nft/layout.h"
#include "dataplane/nft/netlink.h"

#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/object.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#define REQUEST_BYTES 1024

static struct nlmsghdr *request(char *buffer, uint16_t type, uint16_t flags,
	uint16_t name_attribute, const char *name, uint16_t table_attribute, const char *table)
{
	struct nlmsghdr *message = nftnl_nlmsg_build_hdr(buffer, type, NFPROTO_INET, flags, 0);

	if (table_attribute)
		mnl_attr_put_strz(message, table_attribute, table);
	if (name)
		mnl_attr_put_strz(message, name_attribute, name);
	return message;
}

static int read_table(const struct nlmsghdr *message, void *userdata)
{
	struct nftnl_table *table = nftnl_table_alloc();
	const char *text = NULL;
	const void *data;
	uint32_t size;

	if (!table || nftnl_table_nlmsg_parse(message, table) < 0) {
		nftnl_table_free(table);
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	data = nftnl_table_get_data(table, NFTNL_TABLE_USERDATA, &size);
	if (data)
		text = comment_decode(data, size, NFTNL_UDATA_TABLE_COMMENT);
	snprintf(userdata, LISTING_COMMENT_MAX, "%s", text ? text : "");
	nftnl_table_free(table);
	return MNL_CB_OK;
}

int listing_table(
	struct mnl_socket *socket, const char *table, char comment[static LISTING_COMMENT_MAX])
{
	char buffer[REQUEST_BYTES], found[LISTING_COMMENT_MAX] = "";
	int r = netlink_query(socket,
		request(buffer, NFT_MSG_GETTABLE, NLM_F_ACK, NFTA_TABLE_NAME, table, 0, NULL),
		read_table, found);

	if (!r)
		memcpy(comment, found, sizeof(found));
	return r;
}

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

/* Everything else in the table is the layout's. */
static bool is_of_policy(const char *name)
{
	return starts_with(name, "egress-") || starts_with(name, "ingress-") ||
	       starts_with(name, "refuse-egress-") || starts_with(name, "refuse-ingress-");
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && !strcmp(text + length - end_length, end);
}

static bool is_dispatch(const char *name)
{
	for (int direction = 0; direction < DIRECTION_COUNT; direction++)
		if (!strcmp(name, layout_host_map((enum direction)direction)) ||
			!strcmp(name, layout_failsafe((enum direction)direction)))
			return true;
	for (int ipv4 = 0; ipv4 < 2; ipv4++)
		if (!strcmp(name, layout_dispatch_map(DIRECTION_INGRESS, ipv4)) ||
			!strcmp(name, layout_dispatch_map(DIRECTION_EGRESS, ipv4)) ||
			!strcmp(name, layout_workloads(ipv4)) || !strcmp(name, layout_self(ipv4)) ||
			!strcmp(name, layout_addresses(ipv4)) || !strcmp(name, layout_node(ipv4)))
			return true;
	return false;
}

struct chain_reading {
	const char *table;
	listing_chain_fn callback;
	void *userdata;
};

static int read_chain(const struct nlmsghdr *message, void *userdata)
{
	const struct chain_reading *reading = userdata;
	struct nftnl_chain *chain = nftnl_chain_alloc();
	const char *name, *table;
	int r = -ENOMEM;

	if (chain && nftnl_chain_nlmsg_parse(message, chain) >= 0) {
		name = nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME);
		table = nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE);
		r = 0;
		if (name && table && !strcmp(table, reading->table))
			r = reading->callback(name, reading->userdata);
	}
	if (chain)
		nftnl_chain_free(chain);
	errno = -r;
	return r < 0 ? MNL_CB_ERROR : MNL_CB_OK;
}

int listing_chains(struct mnl_socket *socket, uint16_t family, const char *table,
	listing_chain_fn callback, void *userdata)
{
	struct chain_reading reading = {table, callback, userdata};
	char buffer[REQUEST_BYTES];

	return netlink_dump(socket,
		nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETCHAIN, family, NLM_F_DUMP, 0), read_chain,
		NULL, &reading);
}

static int count_rule(const struct nlmsghdr *message, void *userdata)
{
	size_t *count = userdata;

	(void)message;
	(*count)++;
	return MNL_CB_OK;
}

static void count_anew(void *userdata)
{
	*(size_t *)userdata = 0;
}

int listing_count_rules(struct mnl_socket *socket, uint16_t family, const char *table, size_t *ret)
{
	char buffer[REQUEST_BYTES];
	struct nlmsghdr *message =
		nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETRULE, family, NLM_F_DUMP, 0);
	size_t count = 0;
	int r;

	mnl_attr_put_strz(message, NFTA_RULE_TABLE, table);
	r = netlink_dump(socket, message, count_rule, count_anew, &count);
	if (!r)
		*ret = count;
	return r;
}

/* A dump that was begun anew may name one twice. */
static int take_chain(const char *name, void *userdata)
{
	if (!is_of_policy(name) ||
		ruleset_find_chain(userdata, identity_add_text(IDENTITY_START, name)))
		return 0;
	return ruleset_add_chain(userdata, name) ? 0 : -ENOMEM;
}

static int read_set(const struct nlmsghdr *message, void *userdata)
{
	static const struct shape unknown;
	struct nftnl_set *set = nftnl_set_alloc();
	const char *name;
	int r = MNL_CB_ERROR;
	bool mutable;

	errno = ENOMEM;
	if (!set || nftnl_set_nlmsg_parse(message, set) < 0)
		goto end;
	name = nftnl_set_get_str(set, NFTNL_SET_NAME);
	r = MNL_CB_OK;
	if (!name || (!is_of_policy(name) && !is_dispatch(name)))
		goto end;
	mutable = is_dispatch(name) || ends_with(name, "-hosts4") || ends_with(name, "-hosts6");
	if (!ruleset_add_set(userdata, name, &unknown, mutable))
		r = MNL_CB_ERROR;
end:
	if (set)
		nftnl_set_free(set);
	return r;
}

static void forget(void *userdata)
{
	ruleset_clear(userdata);
}

static int read_element(struct nftnl_set_elem *source, void *userdata)
{
	struct element element = {.target.code = TARGET_NONE};
	const char *chain;
	const void *key;
	uint32_t size;

	key = nftnl_set_elem_get(source, NFTNL_SET_ELEM_KEY, &size);
	if (!key || size > sizeof(element.key))
		return 0;
	memcpy(element.key, key, size);
	element.key_length = (uint8_t)size;
	if (nftnl_set_elem_is_set(source, NFTNL_SET_ELEM_VERDICT))
		element.target.code =
			(int32_t)nftnl_set_elem_get_u32(source, NFTNL_SET_ELEM_VERDICT);
	chain = nftnl_set_elem_get_str(source, NFTNL_SET_ELEM_CHAIN);
	if (chain)
		element.target.chain = identity_add_text(IDENTITY_START, chain);
	return element_list_add(userdata, &element);
}

static int read_elements(const struct nlmsghdr *message, void *userdata)
{
	struct nftnl_set *set = nftnl_set_alloc();
	int r = -ENOMEM;

	if (set && nftnl_set_elems_nlmsg_parse(message, set) >= 0)
		r = nftnl_set_elem_foreach(set, read_element, userdata);
	if (set)
		nftnl_set_free(set);
	if (!r)
		return MNL_CB_OK;
	errno = ENOMEM;
	return MNL_CB_ERROR;
}

static void forget_elements(void *userdata)
{
	element_list_clear(userdata);
}

int listing_ruleset(struct mnl_socket *socket, const char *table, struct ruleset *ret)
{
	struct ruleset ruleset = {0};
	char buffer[REQUEST_BYTES];
	struct ruleset_set *set;
	int r = netlink_dump(socket,
		request(buffer, NFT_MSG_GETSET, NLM_F_DUMP, 0, NULL, NFTA_SET_TABLE, table),
		read_set, forget, &ruleset);

	for (set = ruleset.sets; !r && set; set = set->hh.next) {
		if (!set->mutable)
			continue;
		r = netlink_dump(socket,
			request(buffer, NFT_MSG_GETSETELEM, NLM_F_DUMP, NFTA_SET_ELEM_LIST_SET,
				set->name, NFTA_SET_ELEM_LIST_TABLE, table),
			read_elements, forget_elements, &set->elements);
		element_list_sort(&set->elements);
	}
	if (!r)
		r = listing_chains(socket, NFPROTO_INET, table, take_chain, &ruleset);
	if (r < 0)
		ruleset_clear(&ruleset);
	else
		*ret = ruleset;
	return r;
}

struct counted {
	listing_counted_fn callback;
	void *userdata;
};

struct counts {
	uint64_t packets;
	uint64_t bytes;
};

static int read_counter(struct nftnl_expr *expression, void *userdata)
{
	struct counts *counts = userdata;

	if (strcmp(nftnl_expr_get_str(expression, NFTNL_EXPR_NAME), "counter") != 0)
		return 0;
	counts->packets = nftnl_expr_get_u64(expression, NFTNL_EXPR_CTR_PACKETS);
	counts->bytes = nftnl_expr_get_u64(expression, NFTNL_EXPR_CTR_BYTES);
	return 0;
}

static int read_counted_element(struct nftnl_set_elem *element, void *userdata)
{
	const struct counted *counted = userdata;
	struct counts counts = {0};
	const void *key;
	uint32_t size;

	key = nftnl_set_elem_get(element, NFTNL_SET_ELEM_KEY, &size);
	if (!key || nftnl_set_elem_expr_foreach(element, read_counter, &counts) < 0)
		return 0;
	return counted->callback(key, size, counts.packets, counts.bytes, counted->userdata);
}

int listing_counted_message(
	const struct nlmsghdr *message, listing_counted_fn callback, void *userdata)
{
	struct counted counted = {callback, userdata};
	struct nftnl_set *set = nftnl_set_alloc();
	int r = -ENOMEM;

	if (set && nftnl_set_elems_nlmsg_parse(message, set) >= 0)
		r = nftnl_set_elem_foreach(set, read_counted_element, &counted);
	if (set)
		nftnl_set_free(set);
	return r < 0 ? r : 0;
}

static int read_object(const struct nlmsghdr *message, void *userdata)
{
	struct nftnl_obj *object = nftnl_obj_alloc();
	struct counts *counts = userdata;

	if (!object || nftnl_obj_nlmsg_parse(message, object) < 0) {
		nftnl_obj_free(object);
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	counts->packets = nftnl_obj_get_u64(object, NFTNL_OBJ_CTR_PKTS);
	counts->bytes = nftnl_obj_get_u64(object, NFTNL_OBJ_CTR_BYTES);
	nftnl_obj_free(object);
	return MNL_CB_OK;
}

static int query_counter(struct mnl_socket *socket, uint16_t type, const char *table,
	const char *name, uint64_t *ret_packets, uint64_t *ret_bytes)
{
	struct counts counts = {0};
	char buffer[REQUEST_BYTES];
	struct nlmsghdr *message =
		request(buffer, type, NLM_F_ACK, NFTA_OBJ_NAME, name, NFTA_OBJ_TABLE, table);
	int r;

	mnl_attr_put_u32(message, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
	r = netlink_query(socket, message, read_object, &counts);
	if (r < 0)
		return r;
	*ret_packets = counts.packets;
	*ret_bytes = counts.bytes;
	return 0;
}

int listing_counter(struct mnl_socket *socket, const char *table, const char *name,
	uint64_t *ret_packets, uint64_t *ret_bytes)
{
	return query_counter(socket, NFT_MSG_GETOBJ, table, name, ret_packets, ret_bytes);
}

int listing_take_counter(struct mnl_socket *socket, const char *table, const char *name,
	uint64_t *ret_packets, uint64_t *ret_bytes)
{
	return query_counter(socket, NFT_MSG_GETOBJ_RESET, table, name, ret_packets, ret_bytes);
}
