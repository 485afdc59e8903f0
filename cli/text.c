/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "text.h"

#include <langinfo.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <wchar.h>

void *must(void *pointer)
{
	if (!pointer) {
		fputs("segctl: out of memory\n", stderr);
		exit(EXIT_FAILURE);
	}
	return pointer;
}

char *text_format(const char *format, ...)
{
	va_list arguments;
	char *text = NULL;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	return must(text);
}

bool text_is_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

size_t text_control_length(const char *text)
{
	static const char *const turning[] = {"\u061c", "\u200e", "\u200f", "\u202a", "\u202b",
		"\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"};
	unsigned char first = (unsigned char)text[0], second = (unsigned char)text[1];

	if (first < 0x20 || first == 0x7f)
		return 1;
	if (first == 0xc2 && second >= 0x80 && second <= 0x9f)
		return 2;
	for (size_t i = 0; i < ARRAY_SIZE(turning); i++)
		if (strncmp(text, turning[i], strlen(turning[i])) == 0)
			return strlen(turning[i]);
	return 0;
}

/* The next character of *text, which moves behind it; L'?' for what cannot be shown. */
static wchar_t next_character(const char **text)
{
	mbstate_t state = {0};
	wchar_t character;
	size_t control = text_control_length(*text), length;

	if (control) {
		*text += control;
		return L'?';
	}
	length = mbrtowc(&character, *text, MB_CUR_MAX, &state);
	if (length == (size_t)-1 || length == (size_t)-2) {
		(*text)++;
		return L'?';
	}
	*text += length ? length : 1;
	return wcwidth(character) < 0 ? L'?' : character;
}

static void put_character(FILE *stream, wchar_t character)
{
	char bytes[MB_LEN_MAX];
	mbstate_t state = {0};
	size_t length = wcrtomb(bytes, character, &state);

	if (length != (size_t)-1)
		fwrite(bytes, 1, length, stream);
}

size_t text_width(const char *text)
{
	size_t width = 0;

	while (*text)
		width += (size_t)wcwidth(next_character(&text));
	return width;
}

char *text_printable(const char *text)
{
	char *result = NULL;
	size_t size;
	FILE *stream = must(open_memstream(&result, &size));

	while (*text)
		put_character(stream, next_character(&text));
	fclose(stream);
	return must(result);
}

char *text_shorten(const char *text, size_t width)
{
	const char *ellipsis = text_is_utf8() ? "…" : "~";
	size_t full = text_width(text), at = 0, head, tail;
	char *result = NULL;
	FILE *stream;

	if (full <= width)
		return text_printable(text);
	head = width / 2;
	tail = width - head - (width > head);
	stream = must(open_memstream(&result, &(size_t){0}));
	while (*text) {
		wchar_t character = next_character(&text);
		size_t columns = (size_t)wcwidth(character);

		if (at + columns <= head || at >= full - tail)
			put_character(stream, character);
		else if (ellipsis) {
			fputs(ellipsis, stream);
			ellipsis = NULL;
		}
		at += columns;
	}
	fclose(stream);
	return must(result);
}

static char *scaled(double number, double base, const char *const units[], size_t units_count)
{
	size_t unit = 0;

	while (unit + 1 < units_count && number >= base - 0.5) {
		number /= base;
		unit++;
	}
	return text_format("%.*f%s", unit && number < 9.95 ? 1 : 0, number, units[unit]);
}

char *text_count(double count)
{
	static const char *const units[] = {"", "k", "M", "G", "T"};

	/* Up to five digits a person reads as they are, and can compare. */
	if (count < 100000)
		return text_format("%.0f", count);
	return scaled(count, 1000, units, ARRAY_SIZE(units));
}

char *text_bytes(double bytes)
{
	static const char *const units[] = {" B", " KiB", " MiB", " GiB", " TiB"};

	return scaled(bytes, 1024, units, ARRAY_SIZE(units));
}
