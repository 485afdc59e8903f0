/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bundle.h"

#include "record.h"
#include "text.h"

#include <string.h>

struct span {
	const struct document *document;
	unsigned int first; /* line of the text */
};

static bool of_one_file(const struct document_list *list)
{
	for (size_t i = 1; i < list->count; i++)
		if (strcmp(list->items[i]->file, list->items[0]->file) != 0 ||
			list->items[i]->line <= list->items[i - 1]->line)
			return false;
	return true;
}

static unsigned int count_lines(const char *text)
{
	unsigned int lines = 0;

	for (; *text; text++)
		lines += *text == '\n' || !text[1];
	return lines;
}

void bundle_new(const struct document_list *list, struct bundle *ret)
{
	struct bundle bundle = {.file = list->items[0]->file, .spans_count = list->count};
	bool one_file = of_one_file(list);
	FILE *stream = must(open_memstream(&bundle.text, &(size_t){0}));
	unsigned int line = 1;

	bundle.spans = must(calloc(list->count, sizeof(*bundle.spans)));
	for (size_t i = 0; i < list->count; i++) {
		const struct document *document = list->items[i];

		if (i) {
			fputs("---\n", stream);
			line++;
		}
		/* The agent remembers the line of each rule: make it the one in the file. */
		for (; one_file && line < document->line; line++)
			fputc('\n', stream);
		bundle.spans[i] = (struct span){document, line};
		fputs(document->text, stream);
		if (*document->text && document->text[strlen(document->text) - 1] != '\n')
			fputc('\n', stream);
		line += count_lines(document->text);
	}
	fclose(stream);
	must(bundle.text);
	*ret = bundle;
}

void bundle_clear(struct bundle *bundle)
{
	free(bundle->text);
	free(bundle->spans);
}

/* The document that holds a line of the text. */
static const struct span *find(const struct bundle *bundle, unsigned int line)
{
	const struct span *found = NULL;

	for (size_t i = 0; i < bundle->spans_count; i++)
		if (bundle->spans[i].first <= line)
			found = &bundle->spans[i];
	return found;
}

bool bundle_print_diagnostics(const struct bundle *bundle, const json_t *list)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		unsigned int line = (unsigned int)field_number(item, "line");
		const struct span *span = find(bundle, line);
		const char *file = span ? span->document->file : bundle->file;

		if (span)
			line = line - span->first + span->document->line;
		fprintf(stderr, "%s:%u:%.0f: %s: %s [%s]\n", file, line,
			field_number(item, "column"), field_text(item, "severity"),
			field_text(item, "message"), field_text(item, "code"));
	}
	return json_array_size(list) > 0;
}
