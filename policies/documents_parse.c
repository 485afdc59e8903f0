/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/document.h"

#include "base/cleanup.h"
#include "policies/read.h"
#include "policies/yaml_scan.h"

#include <errno.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* libyaml counts characters; this finds the bytes. Nodes come in the order of the text, so the
 * cursor hardly ever goes back. */
struct text {
	const char *bytes;
	size_t size;
	size_t index; /* characters before the cursor */
	size_t offset;
};

static size_t text_seek(struct text *text, size_t index)
{
	if (index < text->index)
		text->index = text->offset = 0;
	for (; text->index < index && text->offset < text->size; text->index++) {
		do
			text->offset++;
		while (text->offset < text->size && (text->bytes[text->offset] & 0xc0) == 0x80);
	}
	return text->offset;
}

/* The text of one node as a document of its own. */
static char *text_slice(const yaml_node_t *node, void *userdata)
{
	struct text *text = userdata;
	size_t start = text_seek(text, node->start_mark.index);
	size_t end = text_seek(text, node->end_mark.index);
	size_t indent =
		node->data.mapping.style == YAML_BLOCK_MAPPING_STYLE ? node->start_mark.column : 0;
	char *slice;

	while (end > start && strchr(" \t\r\n", text->bytes[end - 1]))
		end--;
	/* The first line of a list's item stands behind its dash. */
	if (asprintf(&slice, "%*s%.*s\n", (int)indent, "", (int)(end - start),
		    text->bytes + start) < 0)
		return NULL;
	return slice;
}

static int skip_document(yaml_parser_t *parser)
{
	bool ended = false;

	while (!ended) {
		yaml_event_t event;

		if (!yaml_parser_parse(parser, &event))
			return -ENOMEM;
		ended = event.type == YAML_DOCUMENT_END_EVENT;
		yaml_event_delete(&event);
	}
	return 0;
}

/* The scan has been through here: only memory can be wanting. */
static int load_document(yaml_parser_t *parser, const char *file, struct diagnostics *diagnostics,
	const struct document_sink *sink)
{
	yaml_document_t document;
	struct yaml_reader reader = {
		.document = &document, .file = file, .diagnostics = diagnostics};
	yaml_node_t *root;

	if (!yaml_parser_load(parser, &document))
		return -ENOMEM;
	root = yaml_document_get_root_node(&document);
	/* "---" at the end of a file begins an empty document that nobody meant. */
	if (root && !yaml_node_is_null(root))
		document_read(&reader, root, sink);
	yaml_document_delete(&document);
	return reader.out_of_memory ? -ENOMEM : 0;
}

static int load_documents(const struct yaml_scan *scan, struct text *text, const char *file,
	struct diagnostics *diagnostics, struct document_list *list)
{
	const struct document_sink sink = {.list = list, .text = text_slice, .userdata = text};
	yaml_parser_t parser;
	int r = 0;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text->bytes, text->size);
	for (size_t i = 0; !r && i < scan->documents_count; i++)
		r = scan->refused[i] ? skip_document(&parser)
				     : load_document(&parser, file, diagnostics, &sink);
	yaml_parser_delete(&parser);
	return r;
}

static bool is_utf16(const char *text, size_t size)
{
	return size >= 2 && (!memcmp(text, "\xff\xfe", 2) || !memcmp(text, "\xfe\xff", 2));
}

int documents_parse(struct document_list *list, const char *file, const char *text, size_t size,
	struct diagnostics *diagnostics)
{
	_cleanup_(documents_clear) struct document_list parsed = {0};
	_cleanup_(yaml_scan_clear) struct yaml_scan scan = {0};
	struct location whole = {file, 0, 0};
	size_t errors = diagnostics->errors;
	struct text input;
	int r;

	if (size > YAML_SCAN_TEXT_MAX || is_utf16(text, size)) {
		if (size > YAML_SCAN_TEXT_MAX)
			diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, "too-large", whole,
				"more than %d MiB of text", YAML_SCAN_TEXT_MAX >> 20);
		else
			diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, "encoding", whole,
				"this is UTF-16; only UTF-8 is read");
		return -EINVAL;
	}
	if (size >= strlen(BYTE_ORDER_MARK) &&
		!memcmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK))) {
		text += strlen(BYTE_ORDER_MARK);
		size -= strlen(BYTE_ORDER_MARK);
	}
	r = yaml_scan(text, size, file, diagnostics, &scan);
	if (r < 0)
		return r;
	input = (struct text){.bytes = text, .size = size};
	r = load_documents(&scan, &input, file, diagnostics, &parsed);
	if (r < 0)
		return r;
	return diagnostics->errors > errors ? -EINVAL : documents_append(list, &parsed);
}
