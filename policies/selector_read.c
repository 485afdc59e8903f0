/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/read.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>

#define LABELS_MAX 1000 /* sets are sorted arrays; no object carries nearly as many */

static const char *const relation_names[] = {
	[SELECTOR_IN] = "In",
	[SELECTOR_NOT_IN] = "NotIn",
	[SELECTOR_EXISTS] = "Exists",
	[SELECTOR_NOT_EXISTS] = "DoesNotExist",
};

/* Keys are text whatever they look like: Kubernetes turns 1: into "1": as well. */
static bool read_key(struct yaml_reader *reader, const yaml_node_t *node, const char **ret)
{
	const char *problem = "is no text", *key = NULL;

	if (node->type == YAML_SCALAR_NODE) {
		key = (const char *)node->data.scalar.value;
		problem = strlen(key) == node->data.scalar.length ? label_key_problem(key)
								  : "holds a NUL byte";
	}
	if (problem) {
		yaml_reader_error(reader, node, "bad-label", "label key \"%.80s\" %s",
			key ? key : "", problem);
		return false;
	}
	*ret = key;
	return true;
}

static bool read_value(struct yaml_reader *reader, yaml_node_t *node, const char **ret)
{
	const char *value, *problem;

	if (!yaml_read_string(reader, node, "a label's value", &value))
		return false;
	problem = label_value_problem(value);
	if (problem) {
		yaml_reader_error(
			reader, node, "bad-label", "label value \"%.80s\" %s", value, problem);
		return false;
	}
	*ret = value;
	return true;
}

void labels_read(
	struct yaml_reader *reader, yaml_node_t *node, const char *what, struct labels *labels)
{
	if (!yaml_read_mapping(reader, node, what, NULL, 0, YAML_IGNORE_UNKNOWN))
		return;
	if (node->data.mapping.pairs.top - node->data.mapping.pairs.start > LABELS_MAX) {
		yaml_reader_error(
			reader, node, "too-many", "%s has more than %d labels", what, LABELS_MAX);
		return;
	}
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
		pair < node->data.mapping.pairs.top; pair++) {
		yaml_node_t *key_node = yaml_reader_node(reader, pair->key);
		const char *key, *value;

		if (!read_key(reader, key_node, &key))
			continue;
		if (labels_get(labels, key))
			yaml_reader_error(reader, key_node, "duplicate-key", "%s has \"%s\" twice",
				what, key);
		else if (read_value(reader, yaml_reader_node(reader, pair->value), &value) &&
			 labels_set(labels, key, value) < 0)
			reader->out_of_memory = true;
	}
}

static void read_match_labels(
	struct yaml_reader *reader, yaml_node_t *node, struct selector *selector)
{
	_cleanup_(labels_clear) struct labels labels = {0};

	labels_read(reader, node, "matchLabels", &labels);
	for (size_t i = 0; i < labels.count; i++) {
		struct selector_requirement *requirement =
			selector_add(selector, labels.items[i].key, SELECTOR_IN);

		if (!requirement ||
			selector_requirement_add(requirement, labels.items[i].value) < 0)
			reader->out_of_memory = true;
	}
}

static void read_values(struct yaml_reader *reader, const yaml_node_t *expression,
	yaml_node_t *node, struct selector_requirement *requirement)
{
	bool wanted =
		requirement->relation == SELECTOR_IN || requirement->relation == SELECTOR_NOT_IN;
	const yaml_node_item_t *items = NULL;
	size_t count = 0;

	if (node && !yaml_read_sequence(reader, node, "values", &items, &count))
		return;
	if (wanted != (count > 0)) {
		yaml_reader_error(reader, node ? node : expression, "bad-selector",
			"operator %s %s", relation_names[requirement->relation],
			wanted ? "needs at least one value" : "must not have values");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const char *value;

		if (read_value(reader, yaml_reader_node(reader, items[i]), &value) &&
			selector_requirement_add(requirement, value) < 0)
			reader->out_of_memory = true;
	}
}

static void read_expression(
	struct yaml_reader *reader, yaml_node_t *node, struct selector *selector)
{
	enum {
		KEY,
		OPERATOR,
		VALUES,
		COUNT
	};
	struct yaml_field fields[COUNT] = {
		[KEY] = {.name = "key", .required = true},
		[OPERATOR] = {.name = "operator", .required = true},
		[VALUES] = {.name = "values"},
	};
	struct selector_requirement *requirement;
	unsigned int relation;
	const char *key = "";

	if (!yaml_read_mapping(reader, node, "an expression", fields, COUNT, 0))
		return;
	if (fields[KEY].node)
		read_key(reader, fields[KEY].node, &key);
	if (!fields[OPERATOR].node ||
		!yaml_read_choice(reader, fields[OPERATOR].node, "operator", relation_names,
			ARRAY_SIZE(relation_names), &relation))
		return;
	requirement = selector_add(selector, key, (enum selector_relation)relation);
	if (!requirement)
		reader->out_of_memory = true;
	else
		read_values(reader, node, fields[VALUES].node, requirement);
}

static void read_match_expressions(
	struct yaml_reader *reader, yaml_node_t *node, struct selector *selector)
{
	const yaml_node_item_t *items;
	size_t count;

	if (!yaml_read_sequence(reader, node, "matchExpressions", &items, &count))
		return;
	for (size_t i = 0; i < count; i++)
		read_expression(reader, yaml_reader_node(reader, items[i]), selector);
}

void selector_read(
	struct yaml_reader *reader, yaml_node_t *node, const char *what, struct selector *selector)
{
	enum {
		LABELS,
		EXPRESSIONS,
		COUNT
	};
	struct yaml_field fields[COUNT] = {
		[LABELS] = {.name = "matchLabels"},
		[EXPRESSIONS] = {.name = "matchExpressions"},
	};

	if (!yaml_read_mapping(reader, node, what, fields, COUNT, 0))
		return;
	if (fields[LABELS].node)
		read_match_labels(reader, fields[LABELS].node, selector);
	if (fields[EXPRESSIONS].node)
		read_match_expressions(reader, fields[EXPRESSIONS].node, selector);
	selector_normalize(selector);
}

/* The place inside a scalar that stands on one line; elsewhere its beginning is near enough. */
static struct location location_inside(
	const struct yaml_reader *reader, const yaml_node_t *node, size_t offset)
{
	struct location location = yaml_reader_location(reader, node);
	const char *text = (const char *)node->data.scalar.value;

	if (node->start_mark.line != node->end_mark.line)
		return location;
	if (node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		location.column++;
	for (size_t i = 0; i < offset; i++)
		location.column += (text[i] & 0xc0) != 0x80;
	return location;
}

void selector_read_any(
	struct yaml_reader *reader, yaml_node_t *node, const char *what, struct selector *selector)
{
	_cleanup_free_ char *problem = NULL;
	const char *text;
	size_t offset;
	int r;

	if (node->type == YAML_MAPPING_NODE) {
		selector_read(reader, node, what, selector);
		return;
	}
	if (!yaml_read_string(reader, node, what, &text))
		return;
	r = selector_parse(text, selector, &problem, &offset);
	if (r == -ENOMEM)
		reader->out_of_memory = true;
	else if (r < 0)
		diagnostics_add(reader->diagnostics, DIAGNOSTIC_ERROR, "bad-selector",
			location_inside(reader, node, offset), "%s: %s", what, problem);
}
