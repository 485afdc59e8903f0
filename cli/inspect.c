/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl inspect: everything about one thing. */
#include "command.h"

static const struct command commands[] = {
	{"workload", "labels, addresses, effective rules with hits, peers", inspect_workload_run},
	{"policy", "whom it selects, its rules, its text", inspect_policy_run},
	{"rule", "one rule of a policy, and who used it", inspect_rule_run},
	{"dataplane", "the tables that packets are judged by", inspect_dataplane_run},
	{0},
};

static const struct command_group group = {
	.summary = "Says everything about one workload, policy or rule, or about the data plane.",
	.commands = commands,
};

int inspect_run(struct settings *settings, int argc, char **argv)
{
	return command_group_run(&group, settings, argc, argv);
}
