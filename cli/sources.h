/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -f PATH…: documents in files, directories or standard input. */
#pragma once

#include "policies/document.h"
#include "settings.h"

struct sources {
	const char **paths;
	size_t count;
};

/* A parser to put among a command's children; its input is a struct sources. Words that are no
 * options are paths too, so that "-f a.yaml b.yaml" and "-f dir/?.yaml" mean what they seem to. */
extern const struct argp sources_argp;

/* As many documents as can be read, and all mistakes, sorted. Ends the program as wrongly used
 * when there is no path. 0 or a negative errno. */
int sources_read(const struct settings *settings, const struct sources *sources,
	struct document_list *list, struct diagnostics *diagnostics);

/* The same for commands that need all documents whole: mistakes go to standard error, and
 * consequence says what follows from them ("nothing was applied"). Returns an exit code. */
int sources_load(const struct settings *settings, const struct sources *sources,
	const char *consequence, struct document_list *list);

void sources_add(struct sources *sources, const char *path);
void sources_clear(struct sources *sources);

#define _cleanup_sources_   __attribute__((cleanup(sources_clear)))
#define _cleanup_documents_ __attribute__((cleanup(documents_clear)))
