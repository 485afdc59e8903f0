/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Comments of tables, chains, rules and sets, in the form that `nft list ruleset` prints. */
#pragma once

#include <libnftnl/udata.h>
#include <stddef.h>
#include <stdint.h>

#define COMMENT_BYTES_MAX (2 + NFTNL_UDATA_COMMENT_MAXLEN)

struct comment {
	uint8_t bytes[COMMENT_BYTES_MAX]; /* type, length, text and its NUL */
	uint32_t size;
};

/* type: NFTNL_UDATA_*_COMMENT of whatever it stands at. Text is cut at 127 bytes; what nft could
 * not read back (quotes, control characters) becomes an apostrophe or a space. */
void comment_encode(struct comment *comment, uint8_t type, const char *text);

/* The text within user data; NULL: none. Valid as long as data. */
const char *comment_decode(const void *data, size_t size, uint8_t type);
