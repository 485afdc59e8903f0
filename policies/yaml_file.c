/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/yaml_file.h"

#include "base/cleanup.h"
#include "policies/yaml_scan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX_BYTES (1 << 20)

int yaml_file_read(const char *path, char **ret, size_t *ret_size, struct error *error)
{
	_cleanup_file_ FILE *stream = fopen(path, "re");
	_cleanup_free_ char *text = malloc(FILE_MAX_BYTES + 1);
	size_t size;

	if (!stream)
		return error_errno(error, -errno, "open %s", path);
	if (!text)
		return error_nomem(error);
	size = fread(text, 1, FILE_MAX_BYTES + 1, stream);
	if (ferror(stream))
		return error_errno(error, -EIO, "read %s", path);
	if (size > FILE_MAX_BYTES)
		return error_set(error, -EFBIG, "%s is larger than %d bytes", path, FILE_MAX_BYTES);
	*ret = TAKE_PTR(text);
	*ret_size = size;
	return 0;
}

/* The scan has found one sound document: only memory can be wanting. */
static int load_document(struct yaml_reader *reader, const char *text, size_t size,
	void (*read)(struct yaml_reader *reader, yaml_node_t *root, void *userdata), void *userdata)
{
	yaml_document_t document;
	yaml_parser_t parser;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	if (!yaml_parser_load(&parser, &document)) {
		yaml_parser_delete(&parser);
		return -ENOMEM;
	}
	reader->document = &document;
	read(reader, yaml_document_get_root_node(&document), userdata);
	reader->document = NULL;
	yaml_document_delete(&document);
	yaml_parser_delete(&parser);
	return reader->out_of_memory ? -ENOMEM : 0;
}

int yaml_file_parse(const char *file, const char *text, size_t size, bool may_be_empty,
	void (*read)(struct yaml_reader *reader, yaml_node_t *root, void *userdata), void *userdata,
	struct diagnostics *diagnostics)
{
	struct yaml_reader reader = {.file = file, .diagnostics = diagnostics};
	_cleanup_(yaml_scan_clear) struct yaml_scan scan = {0};
	size_t errors = diagnostics->errors;
	int r = yaml_scan(text, size, file, diagnostics, &scan);

	if (r < 0)
		return r;
	if (scan.documents_count == 1 && !scan.refused[0])
		r = load_document(&reader, text, size, read, userdata);
	else if (scan.documents_count > 1 ||
		 (!scan.documents_count && diagnostics->errors == errors && !may_be_empty))
		diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, "document-count",
			(struct location){file, 0, 0}, "expected one YAML document, found %zu",
			scan.documents_count);
	if (r < 0)
		return r;
	return diagnostics->errors > errors ? -EINVAL : 0;
}
