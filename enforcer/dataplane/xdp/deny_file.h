/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Deny lists as they are published (FireHOL netsets, Spamhaus DROP): one prefix or address on a
 * line, behind it or alone a comment that begins with '#' or ';'. Empty lines are fine.
 */
#pragma once

#include "base/error.h"
#include "dataplane/xdp/deny_ranges.h"

#include <stddef.h>
#include <stdio.h>

/* Adds the prefixes of the file, a regular one, to ranges, which are not finished by it, and counts
 * them. -EINVAL with the first mistakes, each as "file:line: what is wrong, what was expected";
 * -ENOMEM; what opening and reading says. On failure ranges may have some of the file. */
int deny_file_read(
	const char *path, struct deny_ranges *ranges, size_t *ret_prefixes, struct error *error);
/* The same of a stream; name is for messages. */
int deny_stream_read(FILE *stream, const char *name, struct deny_ranges *ranges,
	size_t *ret_prefixes, struct error *error);
