/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/yaml_reader.h"

#include "base/cleanup.h"
#include "policies/suggest.h"
#include "policies/yaml_scalar.h"
#include "policies/yaml_scan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX     20
#define SHOWN_TEXT_MAX 64 /* of what was found: a whole block scalar helps nobody */

struct location yaml_reader_location(const struct yaml_reader *reader, const yaml_node_t *node)
{
	return yaml_scan_location(reader->file, &node->start_mark);
}

static void report(struct yaml_reader *reader, enum diagnostic_severity severity,
	const yaml_node_t *node, const char *code, const char *format, va_list arguments)
{
	_cleanup_free_ char *message = NULL;

	if (vasprintf(&message, format, arguments) < 0) {
		message = NULL;
		reader->out_of_memory = true;
		return;
	}
	diagnostics_add(reader->diagnostics, severity, code, yaml_reader_location(reader, node),
		"%s", message);
}

void yaml_reader_error(struct yaml_reader *reader, const yaml_node_t *node, const char *code,
	const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report(reader, DIAGNOSTIC_ERROR, node, code, format, arguments);
	va_end(arguments);
}

void yaml_reader_warning(struct yaml_reader *reader, const yaml_node_t *node, const char *code,
	const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report(reader, DIAGNOSTIC_WARNING, node, code, format, arguments);
	va_end(arguments);
}

yaml_node_t *yaml_reader_node(const struct yaml_reader *reader, int id)
{
	return yaml_document_get_node(reader->document, id);
}

static const char *scalar(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

bool yaml_node_is_null(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE && yaml_scalar_type(node) == YAML_SCALAR_NULL;
}

bool yaml_node_is_integer(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE && yaml_scalar_type(node) == YAML_SCALAR_INTEGER;
}

static void wrong_type(
	struct yaml_reader *reader, const yaml_node_t *node, const char *what, const char *expected)
{
	const char *hint = "";
	enum yaml_scalar_type type;

	if (node->type != YAML_SCALAR_NODE) {
		yaml_reader_error(reader, node, "wrong-type", "%s must be %s, found %s", what,
			expected, node->type == YAML_MAPPING_NODE ? "a mapping" : "a list");
		return;
	}
	type = yaml_scalar_type(node);
	if (type == YAML_SCALAR_NULL) {
		yaml_reader_error(
			reader, node, "wrong-type", "%s must be %s, found nothing", what, expected);
		return;
	}
	if (type != YAML_SCALAR_STRING && !strcmp(expected, "a string"))
		hint = "; in quotes it is a string";
	yaml_reader_error(reader, node, "wrong-type", "%s must be %s, found %s %.*s%s", what,
		expected, yaml_scalar_type_name(type), SHOWN_TEXT_MAX, scalar(node), hint);
}

static void list_names(const char *const *names, size_t count, FILE *stream)
{
	for (size_t i = 0; i < count; i++)
		fprintf(stream, "%s%s", i ? ", " : "", names[i]);
}

static void unknown_word(struct yaml_reader *reader, const yaml_node_t *node, const char *code,
	const char *what, const char *const *names, size_t count)
{
	/* Beyond the bound no one will read it. */
	bool shown = reader->diagnostics->count < DIAGNOSTICS_MAX;
	const char *near = shown ? suggest(scalar(node), names, count) : NULL;
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream) {
		reader->out_of_memory = true;
		return;
	}
	fprintf(stream, "%s \"%.*s\"", what, SHOWN_TEXT_MAX, scalar(node));
	if (near)
		fprintf(stream, ", did you mean \"%s\"?", near);
	fputs(near ? " Expected one of: " : "; expected one of: ", stream);
	list_names(names, count, stream);
	if (fclose(stream))
		reader->out_of_memory = true;
	else
		yaml_reader_error(reader, node, code, "%s", text);
}

static void unknown_field(struct yaml_reader *reader, const yaml_node_t *key, const char *what,
	const struct yaml_field *fields, size_t fields_count)
{
	const char *names[FIELDS_MAX];
	char text[64];

	for (size_t i = 0; i < fields_count; i++)
		names[i] = fields[i].name;
	snprintf(text, sizeof(text), "%s has no field", what);
	unknown_word(reader, key, "unknown-field", text, names, fields_count);
}

static struct yaml_field *find_field(
	struct yaml_field *fields, size_t fields_count, const yaml_node_t *key)
{
	for (size_t i = 0; i < fields_count; i++)
		if (strlen(fields[i].name) == key->data.scalar.length &&
			!strcmp(fields[i].name, scalar(key)))
			return &fields[i];
	return NULL;
}

static void read_pair(struct yaml_reader *reader, const char *what, struct yaml_field *field,
	yaml_node_t *key, yaml_node_t *value, unsigned int flags)
{
	if (field->key) {
		yaml_reader_error(reader, key, "duplicate-key",
			"%s has the field \"%s\" twice; it stands in line %zu already", what,
			field->name, field->key->start_mark.line + 1);
		return;
	}
	field->key = key;
	if (!yaml_node_is_null(value))
		field->node = value;
	else if (flags & YAML_REFUSE_NULL)
		yaml_reader_error(reader, key, "empty-field",
			"\"%s\" has no value; leave the field out or give it one", field->name);
}

bool yaml_read_mapping(struct yaml_reader *reader, yaml_node_t *node, const char *what,
	struct yaml_field *fields, size_t fields_count, unsigned int flags)
{
	if (node->type != YAML_MAPPING_NODE) {
		wrong_type(reader, node, what, "a mapping");
		return false;
	}
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
		pair < node->data.mapping.pairs.top; pair++) {
		yaml_node_t *key = yaml_reader_node(reader, pair->key);
		struct yaml_field *field = NULL;

		if (key->type == YAML_SCALAR_NODE)
			field = find_field(fields, fields_count, key);
		if (field)
			read_pair(reader, what, field, key, yaml_reader_node(reader, pair->value),
				flags);
		else if (flags & YAML_IGNORE_UNKNOWN)
			continue;
		else if (key->type == YAML_SCALAR_NODE)
			unknown_field(reader, key, what, fields, fields_count);
		else
			wrong_type(reader, key, "a field's name", "a string");
	}
	for (size_t i = 0; i < fields_count; i++)
		if (fields[i].required && !fields[i].node &&
			(!fields[i].key || !(flags & YAML_REFUSE_NULL)))
			yaml_reader_error(reader, node, "missing-field",
				"%s needs the field \"%s\"", what, fields[i].name);
	return true;
}

bool yaml_read_sequence(struct yaml_reader *reader, yaml_node_t *node, const char *what,
	const yaml_node_item_t **ret, size_t *ret_count)
{
	if (node->type != YAML_SEQUENCE_NODE) {
		wrong_type(reader, node, what, "a list");
		return false;
	}
	*ret = node->data.sequence.items.start;
	*ret_count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	return true;
}

bool yaml_read_string(
	struct yaml_reader *reader, yaml_node_t *node, const char *what, const char **ret)
{
	if (node->type != YAML_SCALAR_NODE || yaml_scalar_type(node) != YAML_SCALAR_STRING) {
		wrong_type(reader, node, what, "a string");
		return false;
	}
	if (strlen(scalar(node)) != node->data.scalar.length) {
		yaml_reader_error(reader, node, "encoding", "%s holds a NUL byte", what);
		return false;
	}
	*ret = scalar(node);
	return true;
}

bool yaml_read_integer(struct yaml_reader *reader, yaml_node_t *node, const char *what,
	long minimum, long maximum, long *ret)
{
	char *end;
	long value;

	if (!yaml_node_is_integer(node)) {
		wrong_type(reader, node, what, "an integer");
		return false;
	}
	/* 010 is eight for one reader and ten for another: neither is meant. */
	errno = 0;
	value = strtol(scalar(node), &end, 10);
	if (*end || (scalar(node)[0] == '0' && scalar(node)[1])) {
		yaml_reader_error(reader, node, "wrong-type",
			"%s must be a decimal integer without leading zeros, found %.*s", what,
			SHOWN_TEXT_MAX, scalar(node));
		return false;
	}
	if (errno == ERANGE || value < minimum || value > maximum) {
		yaml_reader_error(reader, node, "out-of-range", "%s must be in %ld-%ld, found %.*s",
			what, minimum, maximum, SHOWN_TEXT_MAX, scalar(node));
		return false;
	}
	*ret = value;
	return true;
}

bool yaml_read_boolean(struct yaml_reader *reader, yaml_node_t *node, const char *what, bool *ret)
{
	if (node->type != YAML_SCALAR_NODE || yaml_scalar_type(node) != YAML_SCALAR_BOOLEAN) {
		wrong_type(reader, node, what, "true or false");
		return false;
	}
	*ret = strchr("tTyY", scalar(node)[0]) || !strcasecmp(scalar(node), "on");
	return true;
}

bool yaml_read_choice(struct yaml_reader *reader, yaml_node_t *node, const char *what,
	const char *const *names, size_t names_count, unsigned int *ret)
{
	const char *text;
	char unknown[64];

	if (!yaml_read_string(reader, node, what, &text))
		return false;
	for (size_t i = 0; i < names_count; i++) {
		if (!strcmp(names[i], text)) {
			*ret = (unsigned int)i;
			return true;
		}
	}
	snprintf(unknown, sizeof(unknown), "%s cannot be", what);
	unknown_word(reader, node, "unknown-value", unknown, names, names_count);
	return false;
}
