/* SPDX-License-Identifier: GPL-2.0-or-later */
/* KIND [NAME] [-n NAMESPACE]: which object a command is about. */
#pragma once

#include "policies/document.h"
#include "settings.h"

struct object {
	const struct settings *settings;
	size_t words;            /* given so far */
	enum document_kind kind; /* with words > 0 */
	char *namespace;         /* NULL: not said */
	char *name;              /* NULL: not said */
};

/* A parser to put among a command's children; its input is a struct object. NAME may be
 * NAMESPACE/NAME. */
extern const struct argp object_argp;

bool object_is_set(const struct object *object);
bool object_matches(
	const struct object *object, const char *kind, const char *namespace, const char *name);
void object_clear(struct object *object);

/* The kind has namespaces. */
bool object_kind_is_namespaced(enum document_kind kind);

#define _cleanup_object_ __attribute__((cleanup(object_clear)))
