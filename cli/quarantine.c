/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl quarantine: workloads that are cut off. */
#include "command.h"

static const struct command commands[] = {
	{"add", "cut a workload off at once, whatever policies say", quarantine_add_run},
	{"list", "who is cut off, why, by whom and until when", quarantine_list_run},
	{"remove", "give a workload back to its policies", quarantine_remove_run},
	{0},
};

static const struct command_group group = {
	.summary = "Cuts workloads off, running connections too, but for those who investigate.",
	.commands = commands,
};

int quarantine_run(struct settings *settings, int argc, char **argv)
{
	return command_group_run(&group, settings, argc, argv);
}
