/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "# lint: ignore CODE": libyaml drops comments, so the text is read line by line. */
#include "policies/lint.h"

#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>

#define MARK       "lint: ignore"
#define SEPARATORS ", \t\r"

/* One line of a text; not ended by NUL. */
struct line {
	const char *text;
	size_t length;
};

/* What stands behind the mark in a comment, for the length that is left; NULL: no such comment. */
static const char *find_codes(const struct line *line, size_t *ret_length)
{
	const char *end = line->text + line->length;

	for (const char *at = line->text; at < end; at++) {
		const char *word = at + 1;

		if (*at != '#' || (at > line->text && !strchr(" \t", at[-1])))
			continue;
		word += strspn(word, " \t");
		if (word + strlen(MARK) > end || strncmp(word, MARK, strlen(MARK)) != 0)
			continue;
		*ret_length = (size_t)(end - word) - strlen(MARK);
		return word + strlen(MARK);
	}
	return NULL;
}

static bool names_code(const char *codes, size_t length, const char *code)
{
	const char *end = codes + length;

	while (codes < end) {
		size_t word;

		codes += strspn(codes, SEPARATORS);
		word = strcspn(codes, SEPARATORS "\n");
		if (!word || codes >= end)
			return false;
		if (word == strlen(code) && strncmp(codes, code, word) == 0)
			return true;
		codes += word;
	}
	return false;
}

static bool silences(const struct line *line, const char *code)
{
	size_t length;
	const char *codes = find_codes(line, &length);

	return codes && names_code(codes, length, code);
}

static bool is_comment(const struct line *line)
{
	size_t blanks = strspn(line->text, " \t");

	return blanks < line->length && line->text[blanks] == '#';
}

/* The lines of a document; NULL: out of memory. */
static struct line *split(const char *text, size_t *ret_count)
{
	struct line *lines;
	size_t count = 1;

	for (const char *at = text; *at; at++)
		count += *at == '\n';
	lines = calloc(count, sizeof(*lines));
	if (!lines)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		lines[i] = (struct line){text, strcspn(text, "\n")};
		text += lines[i].length + 1;
	}
	*ret_count = count;
	return lines;
}

/* On the line itself, or in the comments that stand right above it. */
static bool is_silenced(const struct line *lines, size_t index, const char *code)
{
	if (silences(&lines[index], code))
		return true;
	while (index-- && is_comment(&lines[index]))
		if (silences(&lines[index], code))
			return true;
	return false;
}

static void ignore_in(const struct document *document, struct diagnostics *diagnostics)
{
	_cleanup_free_ struct line *lines = NULL;
	size_t count, kept = 0;

	if (!strstr(document->text, MARK))
		return;
	lines = split(document->text, &count);
	for (size_t i = 0; i < diagnostics->count; i++) {
		struct diagnostic *item = &diagnostics->items[i];
		unsigned int line = item->location.line;

		if (lines && item->severity == DIAGNOSTIC_WARNING && line >= document->line &&
			line - document->line < count &&
			strcmp(item->location.file, document->file) == 0 &&
			is_silenced(lines, line - document->line, item->code)) {
			free((char *)item->location.file);
			free(item->message);
			continue;
		}
		diagnostics->items[kept++] = *item;
	}
	diagnostics->count = kept;
}

void lint_ignore(const struct document_list *documents, struct diagnostics *diagnostics)
{
	for (size_t i = 0; i < documents->count; i++)
		ignore_in(documents->items[i], diagnostics);
}
