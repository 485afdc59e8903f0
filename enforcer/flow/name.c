/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/name.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* jansson keeps a hash table for an object and a node for each member: about this many times the
 * text. */
#define JSON_OVERHEAD 8

struct name_pool {
	struct name *names; /* by text */
};

int name_pool_new(struct name_pool **ret)
{
	struct name_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return -ENOMEM;
	*ret = pool;
	return 0;
}

void name_pool_free(struct name_pool *pool)
{
	free(pool);
}

size_t name_pool_count(const struct name_pool *pool)
{
	return HASH_COUNT(pool->names);
}

static struct name *pool_find(struct name_pool *pool, const char *text, size_t length)
{
	struct name *name;

	HASH_FIND(hh, pool->names, text, length, name);
	return name;
}

static struct name *name_make(json_t *json, const char *text, size_t length)
{
	struct name *name = calloc(1, sizeof(*name) + length + 1);

	if (!name)
		return NULL;
	name->references = 1;
	name->json = json_incref(json);
	name->workload = json_string_value(json_object_get(json, "workload"));
	/* A log that somebody wrote may have anything there. */
	name->is_workload = name->workload != NULL;
	name->namespace = json_string_value(json_object_get(json, "namespace"));
	name->entity = json_string_value(json_object_get(json, "entity"));
	name->length = length;
	memcpy(name->text, text, length + 1);
	name->size_bytes = sizeof(*name) + length * (1 + JSON_OVERHEAD);
	return name;
}

static struct name *name_from_text(struct name_pool *pool, json_t *json, const char *text)
{
	size_t length = strlen(text);
	struct name *name = pool ? pool_find(pool, text, length) : NULL;

	if (name)
		return name_reference(name);
	name = name_make(json, text, length);
	if (!name || !pool)
		return name;
	HASH_ADD(hh, pool->names, text, length, name);
	/* Without memory for the table it is still a name, only not shared. */
	if (HASH_ADDED(name))
		name->pool = pool;
	return name;
}

struct name *name_new(struct name_pool *pool, json_t *json)
{
	_cleanup_free_ char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
	struct name *name = text ? name_from_text(pool, json, text) : NULL;

	json_decref(json);
	return name;
}

struct name *name_reference(struct name *name)
{
	if (name)
		name->references++;
	return name;
}

void name_release(struct name *name)
{
	if (!name || --name->references)
		return;
	if (name->pool)
		HASH_DELETE(hh, name->pool->names, name);
	json_decref(name->json);
	free(name->role);
	free(name);
}

const char *name_member(const struct name *name, const char *key)
{
	return name ? json_string_value(json_object_get(name->json, key)) : NULL;
}

const char *name_id(const struct name *name, char text[static NAME_ID_MAX])
{
	const char *workload = name_workload(name);
	const char *namespace = name_namespace(name);
	const char *entity = name_entity(name);

	if (workload)
		snprintf(text, NAME_ID_MAX, "%s/%s", namespace ? namespace : "", workload);
	else
		snprintf(text, NAME_ID_MAX, "%s", entity ? entity : "unknown");
	return text;
}

bool name_matches(const struct name *name, const char *key, const char *reference)
{
	const char *member = name_member(name, key);
	const char *namespace = name_namespace(name);
	const char *slash = strchr(reference, '/');
	size_t length;

	if (!member)
		return false;
	if (!slash)
		return !strcmp(member, reference);
	length = (size_t)(slash - reference);
	return namespace && strlen(namespace) == length && !memcmp(namespace, reference, length) &&
	       !strcmp(member, slash + 1);
}
