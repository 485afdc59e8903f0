/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/document.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "policies/array.h"
#include "policies/read.h"

#include <errno.h>

/* Finds documents by what makes them one and the same. */
struct entry {
	char *key; /* "kind/namespace/name" */
	size_t index;
	UT_hash_handle hh;
};

static void entries_free(struct entry **entries)
{
	struct entry *entry, *next;

	HASH_ITER (hh, *entries, entry, next) {
		HASH_DEL(*entries, entry);
		free(entry->key);
		free(entry);
	}
}

static char *entry_key(const struct document *document)
{
	char *key;

	return asprintf(&key, "%d/%s/%s", (int)document->kind, document->namespace,
		       document->name) < 0
		       ? NULL
		       : key;
}

/* 1: added; 0: *ret is there already; -ENOMEM. */
static int entry_add(
	struct entry **entries, const struct document *document, size_t index, struct entry **ret)
{
	_cleanup_free_ char *key = entry_key(document);
	_cleanup_free_ struct entry *entry = calloc(1, sizeof(*entry));
	struct entry *there;

	if (!key || !entry)
		return -ENOMEM;
	HASH_FIND_STR(*entries, key, there);
	if (there) {
		*ret = there;
		return 0;
	}
	entry->key = key;
	entry->index = index;
	HASH_ADD_KEYPTR(hh, *entries, entry->key, strlen(entry->key), entry);
	if (!HASH_ADDED(entry))
		return -ENOMEM;
	TAKE_PTR(key);
	TAKE_PTR(entry);
	return 1;
}

static bool is_document(const struct document *document, enum document_kind kind,
	const char *namespace, const char *name)
{
	return document->kind == kind && !strcmp(document->name, name) &&
	       !strcmp(document->namespace, namespace);
}

static int append(struct document_list *list, struct document *document)
{
	struct document **slot = array_append(list->items, list->count);

	if (!slot)
		return -ENOMEM;
	*slot = document_reference(document);
	return 0;
}

int documents_append(struct document_list *list, const struct document_list *from)
{
	_cleanup_(documents_clear) struct document_list all = {0};

	if (documents_copy(list, &all) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < from->count; i++)
		if (append(&all, from->items[i]) < 0)
			return -ENOMEM;
	documents_clear(list);
	*list = all;
	all = (struct document_list){0};
	return 0;
}

int documents_copy(const struct document_list *list, struct document_list *ret)
{
	_cleanup_(documents_clear) struct document_list copy = {0};

	for (size_t i = 0; i < list->count; i++)
		if (append(&copy, list->items[i]) < 0)
			return -ENOMEM;
	*ret = copy;
	copy = (struct document_list){0};
	return 0;
}

static int put(struct document_list *list, struct entry **entries, struct document *document)
{
	struct entry *there;
	int r = entry_add(entries, document, list->count, &there);

	if (r < 0)
		return r;
	if (r > 0)
		return append(list, document);
	document_reference(document);
	document_release(list->items[there->index]);
	list->items[there->index] = document;
	return 0;
}

int documents_merge(struct document_list *list, const struct document_list *from)
{
	_cleanup_(documents_clear) struct document_list merged = {0};
	_cleanup_(entries_free) struct entry *entries = NULL;

	for (size_t i = 0; i < list->count; i++)
		if (put(&merged, &entries, list->items[i]) < 0)
			return -ENOMEM;
	for (size_t i = 0; i < from->count; i++)
		if (put(&merged, &entries, from->items[i]) < 0)
			return -ENOMEM;
	documents_clear(list);
	*list = merged;
	merged = (struct document_list){0};
	return 0;
}

int documents_remove(struct document_list *list, enum document_kind kind, const char *namespace,
	const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!is_document(list->items[i], kind, namespace, name))
			continue;
		document_release(list->items[i]);
		list->count--;
		memmove(&list->items[i], &list->items[i + 1],
			(list->count - i) * sizeof(struct document *));
		return 0;
	}
	return -ENOENT;
}

const struct document *documents_find(const struct document_list *list, enum document_kind kind,
	const char *namespace, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (is_document(list->items[i], kind, namespace, name))
			return list->items[i];
	return NULL;
}

int documents_check_unique(const struct document_list *list, struct diagnostics *diagnostics)
{
	_cleanup_(entries_free) struct entry *entries = NULL;
	int result = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct document *document = list->items[i], *first;
		struct entry *there;
		int r = entry_add(&entries, document, i, &there);

		if (r < 0)
			return r;
		if (r > 0)
			continue;
		first = list->items[there->index];
		result = -EINVAL;
		diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, "duplicate-document",
			(struct location){document->file, document->line, 1},
			"%s %s%s%s is there twice; the first is at %s:%u",
			document_kind_name(document->kind), document->namespace,
			*document->namespace ? "/" : "", document->name, first->file, first->line);
	}
	return result;
}

void documents_clear(struct document_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		document_release(list->items[i]);
	free(list->items);
	*list = (struct document_list){0};
}
