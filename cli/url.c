/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "url.h"

#include "text.h"

#include <ctype.h>
#include <string.h>

/* RFC 3986, 2.3: everything but the unreserved characters is escaped. */
static char *escape(const char *text)
{
	char *escaped = NULL;
	FILE *stream = must(open_memstream(&escaped, &(size_t){0}));

	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (isascii(byte) && (isalnum(byte) || strchr("-._~", byte)))
			fputc(byte, stream);
		else
			fprintf(stream, "%%%02X", byte);
	}
	fclose(stream);
	return must(escaped);
}

static void replace(char **url, char *longer)
{
	free(*url);
	*url = longer;
}

void url_segment(char **url, const char *segment)
{
	_cleanup_free_ char *escaped = escape(segment);

	replace(url, text_format("%s/%s", *url ? *url : "", escaped));
}

void url_query(char **url, const char *key, const char *value)
{
	_cleanup_free_ char *escaped = escape(value);

	replace(url, text_format("%s%c%s=%s", *url, strchr(*url, '?') ? '&' : '?', key, escaped));
}
