/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bundle.h"

#include "base/cleanup.h"
#include "text.h"

#include <jansson.h>
#include <string.h>

static unsigned int count_lines(const char *text)
{
	unsigned int lines = 0;

	for (; *text; text++)
		lines += *text == '\n' || !text[1];
	return lines;
}

/* Does it stand behind the one before it in the same file? Items of one list may share a line. */
static bool follows(const struct document *document, const struct document *before)
{
	return strcmp(document->file, before->file) == 0 &&
	       document->line > before->line + count_lines(before->text);
}

static void write_document(FILE *stream, const struct document *document, unsigned int *line)
{
	for (; *line < document->line; (*line)++)
		fputc('\n', stream);
	fputs(document->text, stream);
	if (*document->text && document->text[strlen(document->text) - 1] != '\n')
		fputc('\n', stream);
	*line += count_lines(document->text);
}

/* As many documents from first on as one text can hold. Returns the first that it does not. */
static size_t add_text(const struct document_list *list, size_t first, json_t *files)
{
	_cleanup_free_ char *text = NULL;
	FILE *stream = must(open_memstream(&text, &(size_t){0}));
	unsigned int line = 1;
	size_t end = first;

	do {
		if (end > first) {
			fputs("---\n", stream);
			line++;
		}
		write_document(stream, list->items[end++], &line);
	} while (end < list->count && follows(list->items[end], list->items[end - 1]));
	fclose(stream);
	json_array_append_new(files, must(json_pack("{s:s, s:s}", "name", list->items[first]->file,
					     "text", must(text))));
	return end;
}

char *bundle_encode(const struct document_list *list)
{
	json_t *files = must(json_array()), *root;
	char *body;

	for (size_t i = 0; i < list->count;)
		i = add_text(list, i, files);
	root = must(json_pack("{s:o}", "files", files));
	body = must(json_dumps(root, JSON_COMPACT));
	json_decref(root);
	return body;
}
