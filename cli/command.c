/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command.h"

#include "policies/suggest.h"
#include "text.h"

#include <string.h>

static const struct command *find(const struct command_group *group, const char *name)
{
	for (const struct command *command = group->commands; command->name; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

static const char *nearest(const struct command_group *group, const char *word)
{
	const char *names[32];
	size_t count = 0;

	for (const struct command *command = group->commands; command->name; command++)
		if (count < ARRAY_SIZE(names))
			names[count++] = command->name;
	return suggest(word, names, count);
}

char *command_group_list(const struct command_group *group)
{
	char *text = NULL;
	FILE *stream = must(open_memstream(&text, &(size_t){0}));

	fputs("Commands:\n", stream);
	for (const struct command *command = group->commands; command->name; command++)
		fprintf(stream, "  %-10s %s\n", command->name, command->summary);
	fclose(stream);
	return must(text);
}

/* What argp prints above and below the options. */
static char *describe(const struct command_group *group)
{
	_cleanup_free_ char *list = command_group_list(group);

	return text_format("%s\n\n%s\v'COMMAND --help' says more about each. Exit status: 0 yes, 1 "
			   "no, 2 wrong usage, 3 the agent cannot be reached.",
		group->summary, list);
}

int command_group_run(
	const struct command_group *group, struct settings *settings, int argc, char **argv)
{
	_cleanup_free_ char *doc = describe(group), *full_name = NULL;
	const struct argp argp = {.args_doc = "COMMAND …", .doc = doc};
	const struct command *command;
	int word;

	if (group->otherwise && settings_find_word(settings, argc, argv) == argc)
		return group->otherwise(settings, argc, argv);
	word = settings_parse_leading(settings, &argp, argc, argv);
	if (word == argc)
		usage_error(settings, "a command is missing");
	if (strcmp(argv[word], "help") == 0)
		return command_group_run(group, settings, 2, (char *[]){argv[0], "--help", NULL});
	command = find(group, argv[word]);
	if (!command) {
		const char *near = nearest(group, argv[word]);

		if (near)
			usage_error(settings, "unknown command '%s' (did you mean '%s'?)",
				argv[word], near);
		usage_error(settings, "unknown command '%s'", argv[word]);
	}
	full_name = text_format("%s %s", argv[0], command->name);
	argv[word] = full_name;
	return command->run(settings, argc - word, argv + word);
}
