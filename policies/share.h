/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks of memory that are written once and then shared: parts of IRs that follow each other. The
 * same address means the same content for as long as somebody holds a reference. */
#pragma once

#include <stddef.h>

/* A block with a copy of size bytes (there may be none) and one reference. NULL: out of memory. */
void *share_copy(const void *bytes, size_t size);
char *share_text(const char *text);
/* Another reference; returns block, which may be NULL. */
void *share_reference(const void *block);
/* Drops one; the last one frees. */
void share_release(const void *block);
