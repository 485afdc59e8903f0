/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/share.h"

#include <stdlib.h>
#include <string.h>

struct share {
	size_t references;
	_Alignas(16) unsigned char bytes[];
};

static struct share *share_of(const void *block)
{
	return (struct share *)((unsigned char *)block - offsetof(struct share, bytes));
}

void *share_copy(const void *bytes, size_t size)
{
	struct share *share = malloc(sizeof(*share) + size);

	if (!share)
		return NULL;
	share->references = 1;
	if (size)
		memcpy(share->bytes, bytes, size);
	return share->bytes;
}

char *share_text(const char *text)
{
	return share_copy(text, strlen(text) + 1);
}

void *share_reference(const void *block)
{
	if (!block)
		return NULL;
	share_of(block)->references++;
	return (void *)block;
}

void share_release(const void *block)
{
	struct share *share;

	if (!block)
		return;
	share = share_of(block);
	if (!--share->references)
		free(share);
}
