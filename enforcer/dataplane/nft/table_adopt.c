/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/table_private.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "dataplane/nft/layout.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>

static int add_element(
	struct element_list *list, const struct adopting_address *adopting, uint64_t now_ns)
{
	struct element element = {.target.code = TARGET_NONE};

	element.timeout_s =
		(uint32_t)((adopting->until_ns - now_ns + NS_PER_SECOND - 1) / NS_PER_SECOND);
	element_key_add_address(&element, &adopting->address);
	return element_list_add(list, &element);
}

int table_write_adopting(
	const struct table *table, struct batch *batch, size_t first, uint64_t now_ns)
{
	int r = 0;

	for (int ipv4 = 0; !r && ipv4 < 2; ipv4++) {
		_cleanup_(element_list_clear) struct element_list list = {0};

		for (size_t i = first; !r && i < table->adopting.count; i++) {
			const struct adopting_address *adopting = &table->adopting.items[i];

			if (address_is_ipv4(&adopting->address) == ipv4 &&
				adopting->until_ns > now_ns)
				r = add_element(&list, adopting, now_ns);
		}
		if (!r)
			r = element_list_write(batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE,
				layout_adopting(ipv4), &list, NULL, NULL);
	}
	return r;
}

static void forget_former(struct adopting *adopting, uint64_t now_ns)
{
	size_t kept = 0;

	for (size_t i = 0; i < adopting->count; i++)
		if (adopting->items[i].until_ns > now_ns)
			adopting->items[kept++] = adopting->items[i];
	adopting->count = kept;
}

static int remember(
	struct adopting *adopting, const struct address *addresses, size_t count, uint64_t until_ns)
{
	struct adopting_address *items =
		reallocarray(adopting->items, adopting->count + count + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	adopting->items = items;
	for (size_t i = 0; i < count; i++)
		items[adopting->count++] = (struct adopting_address){addresses[i], until_ns};
	return 0;
}

int table_adopt(struct table *table, const struct address *addresses, size_t count,
	uint64_t duration_ns, uint64_t now_ns, struct error *error)
{
	_cleanup_(batch_freep) struct batch *batch = NULL;
	size_t before;
	int r = table_begin(table, &batch);

	forget_former(&table->adopting, now_ns);
	before = table->adopting.count;
	if (!r)
		r = remember(&table->adopting, addresses, count, now_ns + duration_ns);
	if (!r)
		r = table_write_adopting(table, batch, before, now_ns);
	if (r < 0)
		error_nomem(error);
	else
		r = batch_send(batch, table->socket, NULL, NULL, error);
	if (r < 0)
		table->adopting.count = before;
	return r < 0 ? error_context(error, r, "begin adoption") : 0;
}
