/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/audited.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;

	return first < second ? -1 : first > second;
}

static int add(struct audited *audited, const struct abi_decision *decision)
{
	uint32_t *larger;

	if (!(decision->flags & ABI_DECISION_AUDIT))
		return 0;
	if (audited->count && audited->rules[audited->count - 1] == decision->rule)
		return 0;
	larger = reallocarray(audited->rules, audited->count + 1, sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	audited->rules = larger;
	larger[audited->count++] = decision->rule;
	return 0;
}

int audited_rebuild(struct audited *audited, const struct tables *tables)
{
	_cleanup_(audited_clear) struct audited fresh = {0};
	int r;

	for (const struct pool_item *item = tables->ports.items; item; item = item->hh.next) {
		const struct port_content *content = (const void *)item->content;

		r = add(&fresh, &content->table.otherwise);
		for (size_t i = 0; r == 0 && i < port_content_count(item); i++)
			r = add(&fresh, &content->entries[i].decision);
		if (r < 0)
			return r;
	}
	if (fresh.count)
		qsort(fresh.rules, fresh.count, sizeof(*fresh.rules), compare);
	audited_clear(audited);
	*audited = fresh;
	fresh = (struct audited){0};
	return 0;
}

bool audited_by(const struct audited *audited, uint32_t rule)
{
	return audited->count &&
	       bsearch(&rule, audited->rules, audited->count, sizeof(rule), compare);
}

void audited_clear(struct audited *audited)
{
	free(audited->rules);
	*audited = (struct audited){0};
}
