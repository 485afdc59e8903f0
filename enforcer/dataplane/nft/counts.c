/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/counts.h"

#include "base/cleanup.h"
#include "dataplane/nft/batch.h"
#include "dataplane/nft/element.h"
#include "dataplane/nft/netlink.h"

#include <errno.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#define REQUEST_BYTES 512
/* Notifications of so many fit into a socket's buffer. */
#define DELETIONS_MAX ((size_t)8192)

struct taking {
	listing_counted_fn callback;
	void *userdata;
};

static int take_elements(const struct nlmsghdr *message, void *userdata)
{
	const struct taking *taking = userdata;
	int r = listing_counted_message(message, taking->callback, taking->userdata);

	errno = -r;
	return r < 0 ? MNL_CB_ERROR : MNL_CB_OK;
}

static struct nlmsghdr *request(char *buffer, const struct counts_set *set)
{
	struct nlmsghdr *message =
		nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETSETELEM, set->family, NLM_F_DUMP, 0);

	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, set->table);
	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, set->name);
	return message;
}

static int list_element(
	const uint8_t *key, size_t length, uint64_t packets, uint64_t bytes, void *userdata)
{
	struct element element = {.key_length = (uint8_t)length, .target.code = TARGET_NONE};

	(void)packets;
	(void)bytes;
	if (length > sizeof(element.key))
		return 0;
	memcpy(element.key, key, length);
	return element_list_add(userdata, &element);
}

static int read_deleted(const struct nlmsghdr *message, void *userdata)
{
	const struct taking *taking = userdata;

	return listing_counted_message(message, taking->callback, taking->userdata);
}

static int delete_listed(struct mnl_socket *socket, const struct counts_set *set,
	const struct element_list *list, struct taking *taking)
{
	_cleanup_(batch_freep) struct batch *batch = NULL;
	int r = batch_new(&batch);

	if (r < 0)
		return r;
	batch_set_family(batch, set->family);
	batch_set_table(batch, set->table);
	r = element_list_write(batch, NFT_MSG_DELSETELEM, NLM_F_ECHO, set->name, list, NULL, NULL);
	return r < 0 ? r : batch_send(batch, socket, read_deleted, taking, NULL);
}

int counts_take(struct mnl_socket *socket, const struct counts_set *set,
	listing_counted_fn callback, void *userdata)
{
	_cleanup_(element_list_clear) struct element_list list = {0};
	struct taking taking = {callback, userdata}, listing = {list_element, &list};
	char buffer[REQUEST_BYTES];
	int r = netlink_dump_once(socket, request(buffer, set), take_elements, &listing);

	element_list_sort(&list);
	for (size_t i = 0; !r && i < list.count; i += DELETIONS_MAX) {
		size_t left = list.count - i;
		const struct element_list some = {
			.items = list.items + i,
			.count = left < DELETIONS_MAX ? left : DELETIONS_MAX,
		};

		r = delete_listed(socket, set, &some, &taking);
	}
	return r;
}
