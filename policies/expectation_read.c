/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl.io/v1 PolicyTest */
#include "policies/read.h"

#include "base/cleanup.h"
#include "policies/array.h"
#include "policies/expectation.h"

#include <string.h>

static void read_selected(struct yaml_reader *reader, yaml_node_t *node,
	struct expectation_end *end, const char *home)
{
	enum {
		WORKLOADS,
		NAMESPACES,
		COUNT
	};
	struct yaml_field fields[COUNT] = {
		[WORKLOADS] = {.name = "workloads"},
		[NAMESPACES] = {.name = "namespaces"},
	};

	end->kind = END_SELECTED;
	if (!yaml_read_mapping(reader, node, "an end", fields, COUNT, YAML_REFUSE_NULL))
		return;
	if (!fields[WORKLOADS].key && !fields[NAMESPACES].key)
		yaml_reader_error(reader, node, "missing-field",
			"an end needs the field \"workloads\" or \"namespaces\"");
	if (fields[WORKLOADS].node)
		selector_read_any(
			reader, fields[WORKLOADS].node, "workloads", &end->workloads.labels);
	if (fields[NAMESPACES].node)
		selector_read_any(
			reader, fields[NAMESPACES].node, "namespaces", &end->workloads.namespaces);
	else
		string_copy(reader, home, &end->workloads.namespace);
}

/* "namespace/name", or a name in the test's own namespace. */
static void read_name(struct yaml_reader *reader, yaml_node_t *node, const char *text,
	const char *home, struct expectation_end *end)
{
	const char *slash = strchr(text, '/');

	end->kind = END_WORKLOAD;
	end->namespace = slash ? strndup(text, (size_t)(slash - text)) : strdup(home);
	end->name = strdup(slash ? slash + 1 : text);
	if (!end->namespace || !end->name)
		reader->out_of_memory = true;
	else if (!*end->namespace || !*end->name || strchr(end->name, '/'))
		yaml_reader_error(reader, node, "bad-end",
			"\"%.80s\" is no end of a connection; expected name, namespace/name, an IP "
			"address, or {workloads: selector}",
			text);
}

static void read_end(struct yaml_reader *reader, yaml_node_t *node, const char *home,
	struct expectation_end *end)
{
	struct location location = yaml_reader_location(reader, node);
	const char *text;

	end->line = location.line;
	end->column = location.column;
	if (node->type == YAML_MAPPING_NODE)
		read_selected(reader, node, end, home);
	else if (!yaml_read_string(reader, node, "an end", &text))
		return;
	else if (address_parse(text, &end->address) == 0)
		end->kind = END_ADDRESS;
	else
		read_name(reader, node, text, home, end);
}

/* One, or a list of them. */
static void read_ends(struct yaml_reader *reader, yaml_node_t *node, const char *what,
	const char *home, struct expectation_end **ends, size_t *count)
{
	yaml_node_item_t single = 0;
	const yaml_node_item_t *items = &single;
	size_t items_count = 1;

	if (node->type == YAML_SEQUENCE_NODE) {
		yaml_read_sequence(reader, node, what, &items, &items_count);
		if (!items_count)
			yaml_reader_error(reader, node, "empty-field",
				"\"%s\" is an empty list, so nothing would be tested", what);
	}
	for (size_t i = 0; i < items_count; i++) {
		struct expectation_end *end = array_append(*ends, *count);

		if (!end) {
			reader->out_of_memory = true;
			return;
		}
		read_end(reader, items[i] ? yaml_reader_node(reader, items[i]) : node, home, end);
	}
}

enum {
	FROM,
	TO,
	PORT,
	PORTS,
	VERDICT,
	RULE,
	EXPECTATION_FIELDS
};

static void read_ports(struct yaml_reader *reader, yaml_node_t *node,
	const struct yaml_field *fields, struct expectation *expectation)
{
	yaml_node_item_t single = 0;
	const yaml_node_item_t *items = &single;
	size_t count = 1;

	if (!fields[PORT].key == !fields[PORTS].key) {
		yaml_reader_error(reader, node, fields[PORT].key ? "bad-port" : "missing-field",
			"an expectation needs either \"port\" or \"ports\"");
		return;
	}
	if (fields[PORTS].node) {
		if (!yaml_read_sequence(reader, fields[PORTS].node, "ports", &items, &count))
			return;
		if (!count)
			yaml_reader_error(reader, fields[PORTS].node, "empty-field",
				"\"ports\" is an empty list, so nothing would be tested");
	} else if (!fields[PORT].node) {
		return;
	}
	for (size_t i = 0; i < count; i++) {
		struct policy_port *port =
			array_append(expectation->ports, expectation->ports_count);

		if (!port) {
			reader->out_of_memory = true;
			return;
		}
		port_read(reader, items[i] ? yaml_reader_node(reader, items[i]) : fields[PORT].node,
			port);
	}
}

static void read_expectation(struct yaml_reader *reader, yaml_node_t *node, const char *home,
	struct expectation *expectation)
{
	static const char *const verdicts[] = {"deny", "allow", "audit"};
	struct yaml_field fields[EXPECTATION_FIELDS] = {
		[FROM] = {.name = "from", .required = true},
		[TO] = {.name = "to", .required = true},
		[PORT] = {.name = "port"},
		[PORTS] = {.name = "ports"},
		[VERDICT] = {.name = "verdict", .required = true},
		[RULE] = {.name = "rule"},
	};
	struct location location;
	unsigned int verdict = 0;
	const char *rule;

	expectation->line = yaml_reader_location(reader, node).line;
	if (!yaml_read_mapping(
		    reader, node, "an expectation", fields, EXPECTATION_FIELDS, YAML_REFUSE_NULL))
		return;
	if (fields[FROM].node)
		read_ends(reader, fields[FROM].node, "from", home, &expectation->from,
			&expectation->from_count);
	if (fields[TO].node)
		read_ends(reader, fields[TO].node, "to", home, &expectation->to,
			&expectation->to_count);
	read_ports(reader, node, fields, expectation);
	if (fields[VERDICT].node)
		yaml_read_choice(reader, fields[VERDICT].node, "verdict", verdicts,
			ARRAY_SIZE(verdicts), &verdict);
	expectation->verdict = (enum expected_verdict)verdict;
	if (fields[RULE].node && yaml_read_string(reader, fields[RULE].node, "rule", &rule)) {
		location = yaml_reader_location(reader, fields[RULE].node);
		expectation->rule_line = location.line;
		expectation->rule_column = location.column;
		string_copy(reader, rule, &expectation->rule);
	}
}

void policy_test_read(struct yaml_reader *reader, yaml_node_t *spec, struct document *document)
{
	struct yaml_field field = {.name = "expect", .required = true};
	struct policy_test *test = document->test;
	const yaml_node_item_t *items;
	size_t count;

	if (!document->namespace)
		return;
	if (!yaml_read_mapping(reader, spec, "spec", &field, 1, YAML_REFUSE_NULL) || !field.node ||
		!yaml_read_sequence(reader, field.node, "expect", &items, &count))
		return;
	if (!count)
		yaml_reader_warning(reader, field.node, "no-effect",
			"\"expect\" is an empty list: nothing is tested");
	for (size_t i = 0; i < count; i++) {
		struct expectation *expectation = array_append(test->items, test->count);

		if (!expectation) {
			reader->out_of_memory = true;
			return;
		}
		read_expectation(reader, yaml_reader_node(reader, items[i]), document->namespace,
			expectation);
	}
}
