/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workloads that are cut off, as plain data.
 *
 * A quarantine is about a workload by its name (namespace/name), and about the container that had
 * this name when it began: restarted or made anew under the name it is quarantined still, and so
 * is the container when it is renamed.
 */
#pragma once

#include "base/error.h"
#include "policies/document.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define QUARANTINES_MAX 1024

enum quarantine_origin {
	QUARANTINE_MANUAL,
	QUARANTINE_DETECTOR, /* not by a person: bounded, see quarantine_add() */
};

struct quarantine {
	struct document *document; /* kind Quarantine: workload, reason, allow-list */
	char *id;                  /* "docker/4f2a91…", as the source says; NULL: not seen yet */
	char *user;                /* who asked for it */
	uint32_t uid;
	enum quarantine_origin origin;
	uint64_t since_ns; /* CLOCK_REALTIME, as is … */
	uint64_t until_ns; /* 0: until someone ends it */
};

struct quarantine_list {
	struct quarantine *items; /* by namespace, name */
	size_t count;
};

const char *quarantine_origin_name(enum quarantine_origin origin); /* "manual", "detector" */
int quarantine_origin_parse(const char *text, enum quarantine_origin *ret); /* -EINVAL */

/*
 * The document of a quarantine. allow: as its spec has it, or NULL. -EINVAL: error says what is
 * wrong with reason or allow; -ENOMEM.
 */
int quarantine_document_new(const char *namespace, const char *name, const char *reason,
	json_t *allow, struct document **ret, struct error *error);
/* Its allow-list as it was given. New reference; an empty array where there is none. */
json_t *quarantine_allow(const struct quarantine *quarantine);

int quarantine_copy(const struct quarantine *quarantine, struct quarantine *ret);
void quarantine_clear(struct quarantine *quarantine);

/* Into the place of the one for the same workload, or as a new one. Takes it in any case. -ENOSPC:
 * there are QUARANTINES_MAX; -ENOMEM. */
int quarantine_list_put(struct quarantine_list *list, struct quarantine *quarantine);
void quarantine_list_remove(struct quarantine_list *list, size_t index);
/* NULL: there is none. */
struct quarantine *quarantine_list_find(
	const struct quarantine_list *list, const char *namespace, const char *name);
size_t quarantine_list_count(const struct quarantine_list *list, enum quarantine_origin origin);
int quarantine_list_copy(const struct quarantine_list *list, struct quarantine_list *ret);
/* Appends the documents to ret. 0 or -ENOMEM. */
int quarantine_list_documents(const struct quarantine_list *list, struct document_list *ret);
void quarantine_list_clear(struct quarantine_list *list);

#define _cleanup_quarantine_      __attribute__((cleanup(quarantine_clear)))
#define _cleanup_quarantine_list_ __attribute__((cleanup(quarantine_list_clear)))
