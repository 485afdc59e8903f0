/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first look at a YAML text, by its events alone: is it YAML at all, and within our bounds?
 * Only what passes here is loaded as a tree, so a hostile text costs time in proportion to its
 * size.
 */
#pragma once

#include "policies/diagnostic.h"

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#define YAML_SCAN_TEXT_MAX      (16 << 20)
#define YAML_SCAN_DEPTH_MAX     64
#define YAML_SCAN_DOCUMENTS_MAX 20000

struct yaml_scan {
	size_t documents_count; /* complete ones before the end or the first syntax error */
	bool *refused; /* for each: it has aliases, anchors or tags and must not be loaded */
};

/* A byte order mark at the start is to be left out by the caller. What is wrong goes to
 * diagnostics. 0 or -ENOMEM. */
int yaml_scan(const char *text, size_t size, const char *file, struct diagnostics *diagnostics,
	struct yaml_scan *ret);
void yaml_scan_clear(struct yaml_scan *scan);

struct location yaml_scan_location(const char *file, const yaml_mark_t *mark);
