/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/diagnostic.h"

#include "base/cleanup.h"
#include "policies/array.h"

#include <errno.h>
#include <stdarg.h>

/* The length of the character at text, if it is one (RFC 3629, near enough) and not a control
 * character of ASCII or ISO 8859-1; else 0. */
static size_t printable_length(const unsigned char *text)
{
	size_t length = text[0] < 0xc2   ? 1
			: text[0] < 0xe0 ? 2
			: text[0] < 0xf0 ? 3
			: text[0] < 0xf5 ? 4
					 : 0;

	if (text[0] < 0x80)
		return text[0] >= 0x20 && text[0] != 0x7f;
	if (text[0] < 0xc2 || (text[0] == 0xc2 && text[1] < 0xa0))
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

/* Messages quote what was found: it must not break lines, drive terminals or spoil JSON, nor may a
 * quotation that was cut inside a character. */
static void make_printable(char *text)
{
	while (*text) {
		size_t length = printable_length((const unsigned char *)text);

		if (!length)
			*text = '?';
		text += length ? length : 1;
	}
}

void diagnostics_add(struct diagnostics *diagnostics, enum diagnostic_severity severity,
	const char *code, struct location location, const char *format, ...)
{
	_cleanup_free_ char *message = NULL;
	_cleanup_free_ char *file = NULL;
	struct diagnostic *diagnostic;
	va_list arguments;

	if (severity == DIAGNOSTIC_ERROR)
		diagnostics->errors++;
	if (diagnostics->count == DIAGNOSTICS_MAX) {
		diagnostics->omitted++;
		return;
	}
	va_start(arguments, format);
	if (vasprintf(&message, format, arguments) < 0)
		message = NULL;
	va_end(arguments);
	file = strdup(location.file);
	if (message)
		make_printable(message);
	if (file)
		make_printable(file);
	diagnostic = message && file ? array_append(diagnostics->items, diagnostics->count) : NULL;
	if (!diagnostic) {
		diagnostics->omitted++;
		return;
	}
	*diagnostic = (struct diagnostic){
		.severity = severity,
		.code = code,
		.location = {TAKE_PTR(file), location.line, location.column},
		.message = TAKE_PTR(message),
	};
}

static int compare(const void *a, const void *b)
{
	const struct diagnostic *first = a, *second = b;
	int order = strcmp(first->location.file, second->location.file);

	if (!order)
		order = (first->location.line > second->location.line) -
			(first->location.line < second->location.line);
	if (!order)
		order = (first->location.column > second->location.column) -
			(first->location.column < second->location.column);
	return order ? order : strcmp(first->message, second->message);
}

void diagnostics_sort(struct diagnostics *diagnostics)
{
	if (diagnostics->count)
		qsort(diagnostics->items, diagnostics->count, sizeof(*diagnostics->items), compare);
}

static void print(const struct diagnostic *diagnostic, FILE *stream)
{
	fputs(diagnostic->location.file, stream);
	if (diagnostic->location.line)
		fprintf(stream, ":%u:%u", diagnostic->location.line, diagnostic->location.column);
	fprintf(stream, ": %s: %s [%s]\n",
		diagnostic->severity == DIAGNOSTIC_ERROR ? "error" : "warning", diagnostic->message,
		diagnostic->code);
}

void diagnostics_print(const struct diagnostics *diagnostics, FILE *stream)
{
	for (size_t i = 0; i < diagnostics->count; i++)
		print(&diagnostics->items[i], stream);
	if (diagnostics->omitted)
		fprintf(stream, "%zu more not shown\n", diagnostics->omitted);
}

int diagnostics_to_error(const struct diagnostics *diagnostics, struct error *error)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return error_nomem(error);
	diagnostics_print(diagnostics, stream);
	fclose(stream);
	if (!text)
		return error_nomem(error);
	while (size > 0 && text[size - 1] == '\n')
		text[--size] = '\0';
	return error_set(error, -EINVAL, "%s", text);
}

void diagnostics_clear(struct diagnostics *diagnostics)
{
	for (size_t i = 0; i < diagnostics->count; i++) {
		free((char *)diagnostics->items[i].location.file);
		free(diagnostics->items[i].message);
	}
	free(diagnostics->items);
	*diagnostics = (struct diagnostics)DIAGNOSTICS_INIT;
}
