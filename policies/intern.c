/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/intern.h"

#include "base/cleanup.h"
#include "base/hash.h"

#include <errno.h>
#include <string.h>

struct intern_entry {
	UT_hash_handle hh;
	uint32_t number;
	char key[];
};

int intern_find(const struct intern *intern, const void *key, size_t key_size, uint32_t *ret)
{
	struct intern_entry *there;

	HASH_FIND(hh, intern->entries, key, key_size, there);
	if (!there)
		return -ENOENT;
	*ret = there->number;
	return 0;
}

int intern_as(struct intern *intern, const void *key, size_t key_size, uint32_t number)
{
	_cleanup_free_ struct intern_entry *entry = NULL;
	uint32_t there;

	if (!intern_find(intern, key, key_size, &there))
		return -EEXIST;
	entry = calloc(1, sizeof(*entry) + key_size);
	if (!entry)
		return -ENOMEM;
	memcpy(entry->key, key, key_size);
	entry->number = number;
	HASH_ADD_KEYPTR(hh, intern->entries, entry->key, key_size, entry);
	if (!HASH_ADDED(entry))
		return -ENOMEM;
	TAKE_PTR(entry);
	return 0;
}

int intern(struct intern *intern, const void *key, size_t key_size, uint32_t *ret)
{
	int r;

	if (!intern_find(intern, key, key_size, ret))
		return 0;
	r = intern_as(intern, key, key_size, intern->count);
	if (r < 0)
		return r;
	*ret = intern->count++;
	return 1;
}

void intern_remove(struct intern *intern, const void *key, size_t key_size)
{
	struct intern_entry *there;

	HASH_FIND(hh, intern->entries, key, key_size, there);
	if (!there)
		return;
	HASH_DEL(intern->entries, there);
	free(there);
}

void intern_clear(struct intern *intern)
{
	struct intern_entry *entry, *next;

	HASH_ITER (hh, intern->entries, entry, next) {
		HASH_DEL(intern->entries, entry);
		free(entry);
	}
	*intern = (struct intern){0};
}
