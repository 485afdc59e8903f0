/* SPDX-License-Identifier: GPL-2.0-or-later */
/* v1 Node, as far as policies ask: labels and addresses. */
#include "policies/read.h"

#include "base/cleanup.h"
#include "policies/model.h"

#include <errno.h>

/* The two types whose value is an address; the others are names. */
static bool holds_address(struct yaml_reader *reader, yaml_node_t *type)
{
	const char *text;

	return yaml_read_string(reader, type, "type", &text) &&
	       (!strcmp(text, "InternalIP") || !strcmp(text, "ExternalIP"));
}

static void read_address(struct yaml_reader *reader, yaml_node_t *item, struct model_node *node)
{
	enum {
		TYPE,
		ADDRESS,
		COUNT
	};
	struct yaml_field fields[COUNT] = {
		[TYPE] = {.name = "type", .required = true},
		[ADDRESS] = {.name = "address", .required = true},
	};
	struct address address;
	const char *text;

	if (!yaml_read_mapping(
		    reader, item, "a node's address", fields, COUNT, YAML_IGNORE_UNKNOWN) ||
		!fields[TYPE].node || !fields[ADDRESS].node ||
		!holds_address(reader, fields[TYPE].node) ||
		!yaml_read_string(reader, fields[ADDRESS].node, "address", &text))
		return;
	if (address_parse(text, &address) < 0)
		yaml_reader_error(reader, fields[ADDRESS].node, "bad-address",
			"\"%.64s\" is no IP address", text);
	else if (model_node_add_address(node, &address) < 0)
		reader->out_of_memory = true;
}

void node_read(struct yaml_reader *reader, yaml_node_t *status, struct document *document)
{
	struct yaml_field field = {.name = "addresses"};
	const yaml_node_item_t *items;
	size_t count;

	if (!status || !yaml_read_mapping(reader, status, "status", &field, 1, YAML_IGNORE_UNKNOWN))
		return;
	if (!field.node || !yaml_read_sequence(reader, field.node, "addresses", &items, &count))
		return;
	for (size_t i = 0; i < count; i++)
		read_address(reader, yaml_reader_node(reader, items[i]), document->node);
}

int node_to_model(const struct document *document, struct model *model)
{
	struct model_node *node;

	if (model_add_node(model, document->name, &document->node->labels, &node) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < document->node->addresses_count; i++)
		if (model_node_add_address(node, &document->node->addresses[i]) < 0)
			return -ENOMEM;
	return 0;
}

void node_free(struct model_node *node)
{
	if (!node)
		return;
	model_node_clear(node);
	free(node);
}
