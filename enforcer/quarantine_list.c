/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quarantine_list.h"

#include "base/cleanup.h"
#include "json.h"
#include "policies/array.h"

#include <errno.h>
#include <string.h>

#define FILE_NAME "quarantine"

static const char *const origin_names[] = {
	[QUARANTINE_MANUAL] = "manual",
	[QUARANTINE_DETECTOR] = "detector",
};

const char *quarantine_origin_name(enum quarantine_origin origin)
{
	return origin_names[origin];
}

int quarantine_origin_parse(const char *text, enum quarantine_origin *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(origin_names); i++) {
		if (strcmp(text, origin_names[i]))
			continue;
		*ret = (enum quarantine_origin)i;
		return 0;
	}
	return -EINVAL;
}

/* --- the document -------------------------------------------------------------------------------
 */

static int parse(const char *text, struct document **ret, struct error *error)
{
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	struct document_list list = {0};
	int r = documents_parse(&list, FILE_NAME, text, strlen(text), &diagnostics);

	if (r == -EINVAL && diagnostics.count)
		error_set(error, r, "%s", diagnostics.items[0].message);
	else if (r < 0)
		error_nomem(error);
	else
		*ret = document_reference(list.items[0]);
	documents_clear(&list);
	diagnostics_clear(&diagnostics);
	return r;
}

int quarantine_document_new(const char *namespace, const char *name, const char *reason,
	json_t *allow, struct document **ret, struct error *error)
{
	_cleanup_json_ json_t *root = json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s, s:O*}}",
		"apiVersion", "segctl.io/v1", "kind", "Quarantine", "metadata", "name", name,
		"namespace", namespace, "spec", "reason", reason, "allow", allow);
	_cleanup_free_ char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;

	return text ? parse(text, ret, error) : error_nomem(error);
}

json_t *quarantine_allow(const struct quarantine *quarantine)
{
	_cleanup_json_ json_t *root = json_loads(quarantine->document->text, 0, NULL);
	json_t *allow = json_object_get(json_object_get(root, "spec"), "allow");

	return allow ? json_incref(allow) : json_array();
}

/* --- one ----------------------------------------------------------------------------------------
 */

int quarantine_copy(const struct quarantine *quarantine, struct quarantine *ret)
{
	_cleanup_quarantine_ struct quarantine copy = *quarantine;

	document_reference(copy.document);
	copy.id = quarantine->id ? strdup(quarantine->id) : NULL;
	copy.user = strdup(quarantine->user);
	if (!copy.user || (quarantine->id && !copy.id))
		return -ENOMEM;
	*ret = copy;
	copy = (struct quarantine){0};
	return 0;
}

void quarantine_clear(struct quarantine *quarantine)
{
	document_release(quarantine->document);
	free(quarantine->id);
	free(quarantine->user);
	*quarantine = (struct quarantine){0};
}

/* --- all ----------------------------------------------------------------------------------------
 */

static int compare(const struct quarantine *quarantine, const char *namespace, const char *name)
{
	int order = strcmp(quarantine->document->namespace, namespace);

	return order ? order : strcmp(quarantine->document->name, name);
}

static size_t lower_bound(
	const struct quarantine_list *list, const char *namespace, const char *name)
{
	size_t index = 0;

	while (index < list->count && compare(&list->items[index], namespace, name) < 0)
		index++;
	return index;
}

struct quarantine *quarantine_list_find(
	const struct quarantine_list *list, const char *namespace, const char *name)
{
	size_t index = lower_bound(list, namespace, name);

	return index < list->count && !compare(&list->items[index], namespace, name)
		       ? &list->items[index]
		       : NULL;
}

int quarantine_list_put(struct quarantine_list *list, struct quarantine *quarantine)
{
	_cleanup_quarantine_ struct quarantine taken = *quarantine;
	const struct document *document = taken.document;
	size_t index = lower_bound(list, document->namespace, document->name);
	struct quarantine *there = quarantine_list_find(list, document->namespace, document->name);

	*quarantine = (struct quarantine){0};
	if (!there && list->count == QUARANTINES_MAX)
		return -ENOSPC;
	if (there) {
		quarantine_clear(there);
	} else {
		if (!array_append(list->items, list->count))
			return -ENOMEM;
		there = &list->items[index];
		memmove(there + 1, there, (list->count - 1 - index) * sizeof(*there));
	}
	*there = taken;
	taken = (struct quarantine){0};
	return 0;
}

void quarantine_list_remove(struct quarantine_list *list, size_t index)
{
	struct quarantine *item = &list->items[index];

	quarantine_clear(item);
	list->count--;
	memmove(item, item + 1, (list->count - index) * sizeof(*item));
}

size_t quarantine_list_count(const struct quarantine_list *list, enum quarantine_origin origin)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++)
		count += list->items[i].origin == origin;
	return count;
}

int quarantine_list_copy(const struct quarantine_list *list, struct quarantine_list *ret)
{
	_cleanup_quarantine_list_ struct quarantine_list copy = {0};

	for (size_t i = 0; i < list->count; i++) {
		_cleanup_quarantine_ struct quarantine item = {0};

		if (quarantine_copy(&list->items[i], &item) < 0 ||
			quarantine_list_put(&copy, &item) < 0)
			return -ENOMEM;
	}
	*ret = copy;
	copy = (struct quarantine_list){0};
	return 0;
}

int quarantine_list_documents(const struct quarantine_list *list, struct document_list *ret)
{
	_cleanup_free_ struct document **items = NULL;
	struct document_list documents = {.count = list->count};

	if (!list->count)
		return 0;
	items = calloc(list->count, sizeof(struct document *));
	documents.items = items;
	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < list->count; i++)
		items[i] = list->items[i].document;
	return documents_merge(ret, &documents);
}

void quarantine_list_clear(struct quarantine_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		quarantine_clear(&list->items[i]);
	free(list->items);
	*list = (struct quarantine_list){0};
}
