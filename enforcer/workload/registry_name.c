/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names: unique within a namespace, and how a person's reference finds its workload. */
#include "workload/registry_private.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ID_REFERENCE_MIN 6

static bool name_is_taken(const struct registry *registry, const char *namespace, const char *name,
	const struct registry_entry *except)
{
	const struct registry_entry *entry;

	for (entry = registry->entries; entry; entry = entry->hh.next)
		if (entry != except && strcmp(entry->workload->namespace, namespace) == 0 &&
			strcmp(entry->workload->name, name) == 0)
			return true;
	return false;
}

/* name, "-" and the first length letters and digits of id. NULL: out of memory. */
static char *name_with_id(const char *name, const char *id, size_t length)
{
	size_t end = strlen(name);
	char *text = malloc(end + strlen(id) + 2);

	if (!text)
		return NULL;
	memcpy(text, name, end);
	text[end++] = '-';
	for (; *id && length > 0; id++)
		if (isalnum((unsigned char)*id)) {
			text[end++] = *id;
			length--;
		}
	text[end] = '\0';
	return text;
}

/* A workload keeps the name it got for as long as its source calls it the same. */
int registry_resolve_name(const struct registry *registry, struct registry_entry *entry,
	const struct registry_entry *former)
{
	static const size_t lengths[] = {6, 12, SIZE_MAX};
	struct workload *workload = entry->workload;

	entry->wanted_name = strdup(workload->name);
	if (!entry->wanted_name)
		return -ENOMEM;
	if (former && strcmp(former->wanted_name, workload->name) == 0 &&
		strcmp(former->workload->namespace, workload->namespace) == 0) {
		free(workload->name);
		workload->name = strdup(former->workload->name);
		return workload->name ? 0 : -ENOMEM;
	}
	for (size_t i = 0; name_is_taken(registry, workload->namespace, workload->name, former);
		i++) {
		if (i == ARRAY_SIZE(lengths))
			return -EEXIST;
		free(workload->name);
		workload->name = name_with_id(entry->wanted_name, workload->id, lengths[i]);
		if (!workload->name)
			return -ENOMEM;
	}
	return 0;
}

/* What a reference may mean, the better first. */
enum match {
	MATCH_QUALIFIED,
	MATCH_NAME,
	MATCH_ID,
	MATCH_COUNT
};

/* Nobody types a container's id whole. Other ids are names that people gave, of which one may begin
 * as another does. */
static bool is_id(const struct workload *workload, const char *reference)
{
	size_t length = strlen(reference);

	if (strcmp(reference, workload->id) == 0)
		return true;
	return length >= ID_REFERENCE_MIN && strncmp(reference, workload->id, length) == 0 &&
	       workload->id[strspn(workload->id, "0123456789abcdef")] == '\0';
}

static bool matches(const struct workload *workload, const char *reference, enum match match)
{
	size_t length = strlen(workload->namespace);

	switch (match) {
	case MATCH_QUALIFIED:
		return strncmp(reference, workload->namespace, length) == 0 &&
		       reference[length] == '/' &&
		       strcmp(reference + length + 1, workload->name) == 0;
	case MATCH_NAME:
		return strcmp(reference, workload->name) == 0;
	case MATCH_ID:
		return is_id(workload, reference);
	case MATCH_COUNT:
		break;
	}
	return false;
}

const struct workload *registry_find(
	const struct registry *registry, const char *reference, bool *ambiguous)
{
	*ambiguous = false;
	for (enum match match = 0; match < MATCH_COUNT; match++) {
		const struct registry_entry *entry;
		const struct workload *found = NULL;

		for (entry = registry->entries; entry; entry = entry->hh.next) {
			if (!matches(entry->workload, reference, match))
				continue;
			if (found) {
				*ambiguous = true;
				return NULL;
			}
			found = entry->workload;
		}
		if (found)
			return found;
	}
	return NULL;
}
