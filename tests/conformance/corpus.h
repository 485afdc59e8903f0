/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A directory of cases, and the clusters that they are about. README.md describes the format. */
#pragma once

#include "base/error.h"

#include <jansson.h>
#include <stddef.h>

struct corpus_case {
	json_t *json; /* an object with a string "id" and an array "steps" */
	const char *id;
	const char *file; /* owned by the corpus */
};

struct corpus {
	json_t *clusters; /* key: cluster */
	struct corpus_case *cases;
	size_t cases_count;
	char **files;
	size_t files_count;
};

/* Reads *.json (clusters) and *.jsonl (cases), each also as .gz, in the order of their names.
 * -EINVAL: malformed, error says where; -ENOENT: no case in it; or why a file cannot be read. */
int corpus_load(const char *directory, struct corpus *ret, struct error *error);
void corpus_clear(struct corpus *corpus);
