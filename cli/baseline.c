/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl baseline: what roles are used to do, as detectors learnt it. */
#include "command.h"

static const struct command commands[] = {
	{"show", "roles, or what one of them is used to do", baseline_show_run},
	{"forget", "learn a role, or all, anew", baseline_forget_run},
	{0},
};

static const struct command_group group = {
	.summary =
		"What workloads are used to do, by role instead of address: who is called, for which "
		"service, on how many days.",
	.commands = commands,
};

int baseline_run(struct settings *settings, int argc, char **argv)
{
	return command_group_run(&group, settings, argc, argv);
}
