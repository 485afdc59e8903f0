/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "graph.h"

#include "output.h"
#include "record.h"
#include "text.h"

#include <string.h>

/* A string of DOT or of mermaid: quotes are the only characters that could end it. It may be looked
 * at in a terminal, too. */
static void print_quoted(const char *text, const char *quote)
{
	size_t control;

	for (; *text; text += control ? control : 1) {
		control = text_control_length(text);
		if (*text == '"')
			fputs(quote, stdout);
		else if (*text == '\\')
			fputs(*quote == '\\' ? "\\\\" : "\\", stdout);
		else if (!control)
			putchar(*text);
	}
}

/* Of a difference: what is as before steps back, the rest says what became of it. */
static bool is_as_before(const json_t *item)
{
	return strcmp(field_text(item, "change"), "same") == 0;
}

static const char *color_of(const json_t *edge)
{
	if (is_as_before(edge))
		return "#bdbdbd";
	switch (record_color(field_text(edge, "verdict"))) {
	case TABLE_BAD:
		return "#c62828";
	case TABLE_WARNING:
		return "#ef6c00";
	case TABLE_GOOD:
	case TABLE_PLAIN:
		break;
	}
	return "#2e7d32";
}

static bool is_gone(const json_t *item)
{
	return strcmp(field_text(item, "change"), "gone") == 0;
}

/* Before the label of an edge of a difference. */
static const char *change_of(const json_t *edge)
{
	static const struct {
		const char *change, *words;
	} changes[] = {{"added", "new: "}, {"gone", "gone: "}, {"changed", "changed: "}};

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
		if (strcmp(field_text(edge, "change"), changes[i].change) == 0)
			return changes[i].words;
	return "";
}

/* "tcp/5432" and how much: connections where they were allowed, packets where not. */
static char *label_of(const json_t *edge, const char *newline)
{
	bool denied = record_color(field_text(edge, "verdict")) == TABLE_BAD;
	_cleanup_free_ char *port = record_port(edge), *count = NULL;

	if (denied)
		count = output_plural(
			field_sum(edge, "packets"), "packet denied", "packets denied");
	else
		count = output_plural(
			field_number(edge, "connections"), "connection", "connections");
	return text_format("%s%s%s%s", change_of(edge), port, newline, count);
}

static bool is_of_namespace(const json_t *node, const char *namespace)
{
	return strcmp(field_text(node, "namespace"), namespace) == 0;
}

/* The first node of its namespace opens the group. */
static bool opens_group(const json_t *nodes, size_t index)
{
	const char *namespace = field_text(json_array_get(nodes, index), "namespace");

	for (size_t i = 0; i < index; i++)
		if (is_of_namespace(json_array_get(nodes, i), namespace))
			return false;
	return *namespace;
}

static void print_dot_node(const json_t *node, const char *indentation)
{
	_cleanup_free_ char *labels = record_labels(json_object_get(node, "labels"));
	const char *workload = field_text(node, "workload");

	printf("%s\"", indentation);
	print_quoted(field_text(node, "id"), "\\\"");
	fputs("\" [label=\"", stdout);
	print_quoted(*workload ? workload : field_text(node, "id"), "\\\"");
	if (*labels) {
		fputs("\\n", stdout);
		print_quoted(labels, "\\\"");
	}
	if (json_is_true(json_object_get(node, "quarantined")))
		fputs("\\nquarantined\", color=\"#c62828\", penwidth=2];\n", stdout);
	else
		printf("\"%s];\n", *workload ? "" : ", shape=ellipse, style=dashed");
}

static void print_dot_group(const json_t *nodes, const char *namespace, size_t number)
{
	const json_t *node;
	size_t i;

	printf("  subgraph cluster_%zu {\n    label=\"", number);
	print_quoted(namespace, "\\\"");
	puts("\"; color=\"#9e9e9e\"; fontcolor=\"#616161\";");
	json_array_foreach (nodes, i, node) {
		if (is_of_namespace(node, namespace))
			print_dot_node(node, "    ");
	}
	puts("  }");
}

static void print_dot_edge(const json_t *edge)
{
	_cleanup_free_ char *label = label_of(edge, "\\n");
	bool denied = record_color(field_text(edge, "verdict")) == TABLE_BAD;

	fputs("  \"", stdout);
	print_quoted(field_text(edge, "from"), "\\\"");
	fputs("\" -> \"", stdout);
	print_quoted(field_text(edge, "to"), "\\\"");
	printf("\" [label=\"%s\", color=\"%s\", fontcolor=\"%s\"%s%s];\n", label, color_of(edge),
		color_of(edge),
		is_gone(edge) ? ", style=dotted"
		: denied      ? ", style=dashed"
			      : "",
		*change_of(edge) && !is_gone(edge) ? ", penwidth=2.5" : "");
}

void graph_print_dot(const json_t *map)
{
	const json_t *nodes = json_object_get(map, "nodes"), *item;
	size_t i;

	puts("digraph segd {\n  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n"
	     "  edge [fontname=\"sans-serif\", fontsize=10];");
	json_array_foreach (nodes, i, item) {
		if (opens_group(nodes, i))
			print_dot_group(nodes, field_text(item, "namespace"), i);
		else if (!*field_text(item, "namespace"))
			print_dot_node(item, "  ");
	}
	json_array_foreach (json_object_get(map, "edges"), i, item) {
		print_dot_edge(item);
	}
	puts("}");
}

/* Mermaid's own names are plain words: nodes go by their number. */
static size_t number_of(const json_t *nodes, const char *id)
{
	size_t i = 0;

	while (i < json_array_size(nodes) &&
		strcmp(field_text(json_array_get(nodes, i), "id"), id) != 0)
		i++;
	return i;
}

static void print_mermaid_node(const json_t *node, size_t number)
{
	printf("  n%zu[\"", number);
	print_quoted(field_text(node, "id"), "#quot;");
	puts("\"]");
}

void graph_print_mermaid(const json_t *map)
{
	const json_t *nodes = json_object_get(map, "nodes");
	const json_t *edges = json_object_get(map, "edges"), *item;
	size_t i;

	puts("flowchart LR");
	json_array_foreach (nodes, i, item) {
		print_mermaid_node(item, i);
	}
	json_array_foreach (edges, i, item) {
		_cleanup_free_ char *label = label_of(item, "<br/>");
		bool denied = record_color(field_text(item, "verdict")) == TABLE_BAD;

		printf("  n%zu %s|\"%s\"| n%zu\n", number_of(nodes, field_text(item, "from")),
			denied ? "-.-x" : "-->", label, number_of(nodes, field_text(item, "to")));
	}
	json_array_foreach (edges, i, item) {
		printf("  linkStyle %zu stroke:%s%s\n", i, color_of(item),
			is_gone(item)      ? ",stroke-dasharray:2 4"
			: *change_of(item) ? ",stroke-width:3px"
					   : "");
	}
}
