/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/yaml_scan.h"

#include "base/cleanup.h"
#include "policies/array.h"

#include <errno.h>

#define UNREAD "; nothing behind this place was checked"

struct scanner {
	yaml_parser_t parser;
	const char *text;
	size_t size;
	const char *file;
	struct diagnostics *diagnostics;
	struct yaml_scan scan;
	unsigned int depth;
	bool refused; /* the document under way */
};

struct location yaml_scan_location(const char *file, const yaml_mark_t *mark)
{
	return (struct location){
		file, (unsigned int)mark->line + 1, (unsigned int)mark->column + 1};
}

/* The reader's errors come with a byte offset only. */
static struct location locate(const struct scanner *scanner, size_t offset)
{
	struct location location = {scanner->file, 1, 1};

	for (size_t i = 0; i < offset && i < scanner->size; i++) {
		if (scanner->text[i] == '\n') {
			location.line++;
			location.column = 1;
		} else if ((scanner->text[i] & 0xc0) != 0x80) {
			location.column++;
		}
	}
	return location;
}

static int report_failure(struct scanner *scanner)
{
	const yaml_parser_t *parser = &scanner->parser;
	const char *problem = parser->problem ? parser->problem : "unknown problem";
	struct location location;

	switch (parser->error) {
	case YAML_MEMORY_ERROR:
		return -ENOMEM;
	case YAML_READER_ERROR:
		location = locate(scanner, parser->problem_offset);
		if (parser->problem_offset < scanner->size &&
			!scanner->text[parser->problem_offset])
			problem = "NUL bytes are not allowed";
		diagnostics_add(scanner->diagnostics, DIAGNOSTIC_ERROR, "encoding", location,
			"this is not UTF-8 text: %s" UNREAD, problem);
		return 0;
	default:
		location = yaml_scan_location(scanner->file, &parser->problem_mark);
		if (parser->buffer.pointer < parser->buffer.last && *parser->buffer.pointer == '\t')
			problem = "a tab must not indent or separate; use spaces";
		break;
	}
	if (parser->context)
		diagnostics_add(scanner->diagnostics, DIAGNOSTIC_ERROR, "syntax", location,
			"this is not YAML: %s, %s (line %zu)" UNREAD, problem, parser->context,
			parser->context_mark.line + 1);
	else
		diagnostics_add(scanner->diagnostics, DIAGNOSTIC_ERROR, "syntax", location,
			"this is not YAML: %s" UNREAD, problem);
	return 0;
}

static void refuse(
	struct scanner *scanner, const yaml_event_t *event, const char *code, const char *message)
{
	scanner->refused = true;
	diagnostics_add(scanner->diagnostics, DIAGNOSTIC_ERROR, code,
		yaml_scan_location(scanner->file, &event->start_mark), "%s", message);
}

static void check_properties(struct scanner *scanner, const yaml_event_t *event)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	if (event->type == YAML_SCALAR_EVENT) {
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
	}
	if (event->type == YAML_ALIAS_EVENT)
		refuse(scanner, event, "alias",
			"aliases are not allowed in policies; write the value out");
	if (anchor)
		refuse(scanner, event, "alias",
			"anchors are not allowed in policies; write the value where it is needed");
	if (tag)
		refuse(scanner, event, "tag", "tags are not allowed in policies; leave it out");
}

/* false: nothing more can be read. */
static bool check_bounds(struct scanner *scanner, const yaml_event_t *event)
{
	struct location location = yaml_scan_location(scanner->file, &event->start_mark);

	if (scanner->depth > YAML_SCAN_DEPTH_MAX) {
		diagnostics_add(scanner->diagnostics, DIAGNOSTIC_ERROR, "too-deep", location,
			"nested deeper than %d levels" UNREAD, YAML_SCAN_DEPTH_MAX);
		return false;
	}
	if (event->type == YAML_DOCUMENT_START_EVENT &&
		scanner->scan.documents_count == YAML_SCAN_DOCUMENTS_MAX) {
		diagnostics_add(scanner->diagnostics, DIAGNOSTIC_ERROR, "too-many", location,
			"more than %d documents" UNREAD, YAML_SCAN_DOCUMENTS_MAX);
		return false;
	}
	return true;
}

/* 1: go on; 0: the end, or nothing more can be read; -ENOMEM. */
static int scan_event(struct scanner *scanner, const yaml_event_t *event)
{
	bool *slot;

	switch (event->type) {
	case YAML_STREAM_END_EVENT:
		return 0;
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		scanner->depth++;
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		scanner->depth--;
		break;
	case YAML_DOCUMENT_END_EVENT:
		slot = array_append(scanner->scan.refused, scanner->scan.documents_count);
		if (!slot)
			return -ENOMEM;
		*slot = scanner->refused;
		scanner->refused = false;
		break;
	default:
		break;
	}
	check_properties(scanner, event);
	return check_bounds(scanner, event);
}

static int scan_events(struct scanner *scanner)
{
	int r;

	do {
		yaml_event_t event;

		if (!yaml_parser_parse(&scanner->parser, &event))
			return report_failure(scanner);
		r = scan_event(scanner, &event);
		yaml_event_delete(&event);
	} while (r > 0);
	return r;
}

int yaml_scan(const char *text, size_t size, const char *file, struct diagnostics *diagnostics,
	struct yaml_scan *ret)
{
	struct scanner scanner = {
		.text = text, .size = size, .file = file, .diagnostics = diagnostics};
	int r;

	if (!yaml_parser_initialize(&scanner.parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&scanner.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&scanner.parser, (const unsigned char *)text, size);
	r = scan_events(&scanner);
	yaml_parser_delete(&scanner.parser);
	if (r < 0) {
		yaml_scan_clear(&scanner.scan);
		return r;
	}
	*ret = scanner.scan;
	return 0;
}

void yaml_scan_clear(struct yaml_scan *scan)
{
	free(scan->refused);
	*scan = (struct yaml_scan){0};
}
