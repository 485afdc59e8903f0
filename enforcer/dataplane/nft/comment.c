/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/comment.h"

#include <string.h>

void comment_encode(struct comment *comment, uint8_t type, const char *text)
{
	size_t length = strnlen(text, NFTNL_UDATA_COMMENT_MAXLEN - 1);

	comment->bytes[0] = type;
	comment->bytes[1] = (uint8_t)(length + 1);
	for (size_t i = 0; i < length; i++) {
		unsigned char character = (unsigned char)text[i];

		if (character == '"')
			character = '\'';
		comment->bytes[2 + i] = character < ' ' || character > '~' ? ' ' : character;
	}
	comment->bytes[2 + length] = '\0';
	comment->size = (uint32_t)(2 + length + 1);
}

const char *comment_decode(const void *data, size_t size, uint8_t type)
{
	const uint8_t *bytes = data;

	while (size >= 2 && size >= 2 + (size_t)bytes[1]) {
		size_t length = bytes[1];

		if (bytes[0] == type)
			return length && !bytes[2 + length - 1] ? (const char *)bytes + 2 : NULL;
		bytes += 2 + length;
		size -= 2 + length;
	}
	return NULL;
}
