/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl policy: what may talk to what, on the agent and in files. */
#include "command.h"

static const struct command commands[] = {
	{"apply", "give policies to the agent; all of them or none", policy_apply_run},
	{"confirm", "keep what was applied with --confirm", policy_confirm_run},
	{"get", "the policies that the agent has", policy_get_run},
	{"delete", "take policies from the agent", policy_delete_run},
	{"lint", "find mistakes in files, without an agent", policy_lint_run},
	{"matrix", "who could talk to whom under the files, without an agent", policy_matrix_run},
	{"trace", "one connection under the files: verdict and rule", policy_trace_run},
	{"diff", "which connections an apply would open and which it would cut", policy_diff_run},
	{"test", "hold what is expected of policies against them", policy_test_run},
	{0},
};

static const struct command_group group = {
	.summary =
		"Policies: on the agent (apply, confirm, get, delete) and in files (lint, matrix, trace, diff, test).",
	.commands = commands,
};

int policy_run(struct settings *settings, int argc, char **argv)
{
	return command_group_run(&group, settings, argc, argv);
}
