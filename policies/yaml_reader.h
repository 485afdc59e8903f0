/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Typed reading of YAML nodes: every mistake becomes a diagnostic at the exact node, and reading
 * goes on so that all mistakes come out at once. Functions that read return whether they could;
 * their outputs are untouched where they could not.
 *
 * Scalars follow YAML 1.1 as Kubernetes reads it: a plain yes, 080 or 1.10 is no string.
 */
#pragma once

#include "policies/diagnostic.h"

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

struct yaml_reader {
	yaml_document_t *document;
	const char *file;
	struct diagnostics *diagnostics;
	bool out_of_memory;
};

/* One field that a mapping may have. node and key are filled in by yaml_read_mapping(). */
struct yaml_field {
	const char *name;
	bool required;
	yaml_node_t *node; /* NULL: absent, or null */
	yaml_node_t *key;
};

enum yaml_mapping_flags {
	YAML_IGNORE_UNKNOWN = 1 << 0, /* else an error at each unknown key */
	YAML_REFUSE_NULL = 1 << 1,    /* else a null is as good as an absent field */
};

/* what: for messages, "a rule". Fields keep their names and required; their nodes are set. True if
 * node is a mapping, whatever is wrong inside. */
bool yaml_read_mapping(struct yaml_reader *reader, yaml_node_t *node, const char *what,
	struct yaml_field *fields, size_t fields_count, unsigned int flags);

/* The items of a sequence, each to be passed to yaml_reader_node(). */
bool yaml_read_sequence(struct yaml_reader *reader, yaml_node_t *node, const char *what,
	const yaml_node_item_t **ret, size_t *ret_count);
yaml_node_t *yaml_reader_node(const struct yaml_reader *reader, int id);

/* Borrowed from the document. */
bool yaml_read_string(
	struct yaml_reader *reader, yaml_node_t *node, const char *what, const char **ret);
bool yaml_read_integer(struct yaml_reader *reader, yaml_node_t *node, const char *what,
	long minimum, long maximum, long *ret);
bool yaml_read_boolean(struct yaml_reader *reader, yaml_node_t *node, const char *what, bool *ret);
/* One of the names; *ret is its index. */
bool yaml_read_choice(struct yaml_reader *reader, yaml_node_t *node, const char *what,
	const char *const *names, size_t names_count, unsigned int *ret);

bool yaml_node_is_null(const yaml_node_t *node);
bool yaml_node_is_integer(const yaml_node_t *node);

struct location yaml_reader_location(const struct yaml_reader *reader, const yaml_node_t *node);
void yaml_reader_error(struct yaml_reader *reader, const yaml_node_t *node, const char *code,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
void yaml_reader_warning(struct yaml_reader *reader, const yaml_node_t *node, const char *code,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
