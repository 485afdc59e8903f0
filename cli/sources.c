/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sources.h"

#include "output.h"
#include "text.h"

#include <errno.h>

static const struct argp_option options[] = {
	{"filename", 'f', "PATH", 0, "A file, a directory (its *.yaml, *.yml, *.json), or -", 0},
	{0},
};

void sources_add(struct sources *sources, const char *path)
{
	sources->paths =
		must(reallocarray(sources->paths, sources->count + 1, sizeof(*sources->paths)));
	sources->paths[sources->count++] = path;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct sources *sources = state->input;

	if (key != 'f' && key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	sources_add(sources, argument);
	return 0;
}

const struct argp sources_argp = {.options = options, .parser = parse, .args_doc = "-f PATH…"};

int sources_read(const struct settings *settings, const struct sources *sources,
	struct document_list *list, struct diagnostics *diagnostics)
{
	int code = 0;

	if (!sources->count)
		usage_error(settings, "say by -f which files to read");
	for (size_t i = 0; i < sources->count; i++) {
		int result = documents_load(list, sources->paths[i], diagnostics);

		code = code ? code : result;
	}
	/* A file that is not whole lacks documents: what the rest lacks would be guesswork. */
	if (code == 0)
		code = documents_check_unique(list, diagnostics);
	diagnostics_sort(diagnostics);
	return code;
}

int sources_load(const struct settings *settings, const struct sources *sources,
	const char *consequence, struct document_list *list)
{
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	_cleanup_free_ char *mistakes = NULL;
	int code = sources_read(settings, sources, list, &diagnostics);

	diagnostics_print(&diagnostics, stderr);
	mistakes = output_plural((double)diagnostics.errors, "mistake", "mistakes");
	diagnostics_clear(&diagnostics);
	if (code < 0) {
		fprintf(stderr, "%s: %s, %s\n", settings->program, mistakes, consequence);
		return EXIT_NO;
	}
	if (!list->count) {
		fprintf(stderr, "%s: the files hold no documents, %s\n", settings->program,
			consequence);
		return EXIT_NO;
	}
	return EXIT_YES;
}

void sources_clear(struct sources *sources)
{
	free(sources->paths);
}
