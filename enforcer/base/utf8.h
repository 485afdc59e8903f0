/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Texts that are cut to a number of bytes without cutting a character (UTF-8, RFC 3629): what ends
 * with half of one is no text to JSON. What is no UTF-8 before is none afterwards.
 */
#pragma once

#include <stddef.h>

/* Bytes of as many whole characters as max bytes hold; all of a text that is shorter. */
size_t utf8_length(const char *text, size_t max);
/* Takes off what a cut left of the last character; text that was not cut stays as it is. Returns
 * its length. */
size_t utf8_trim(char *text);
