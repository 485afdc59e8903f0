/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl: says to segd, in labels, who may talk to whom, and shows who does. */
#include "command.h"

#include "output.h"

#include <locale.h>
#include <signal.h>

static const struct command commands[] = {
	{"status", "whether and how the agent enforces", status_run},
	{"doctor", "what is wrong on this node, and what to do about it", doctor_run},
	{"workloads", "who runs on this node", workloads_run},
	{"inspect", "everything about a workload, a policy or a rule", inspect_run},
	{"policy", "apply, get, delete, lint, matrix, trace", policy_run},
	{"flows", "connections, allowed and refused", flows_run},
	{"denied", "what was refused, how often, and by which rule", denied_run},
	{"map", "who talks to whom: table, graph, live screen", map_run},
	{"top", "who causes how much traffic now, as a live screen", top_run},
	{"alerts", "what detectors found: who attacks whom, and how", alerts_run},
	{"baseline", "what workloads are used to do", baseline_run},
	{"detect", "the same over recorded flows, without agent", detect_run},
	{"capture", "packets of workloads, with their verdicts, into a file", capture_run},
	{"quarantine", "cut a workload off, at once and whatever policies say", quarantine_run},
	{0},
};

static const struct command_group group = {
	.summary = "Tells segd, in labels, who may talk to whom, and shows who does.",
	.commands = commands,
};

int main(int argc, char **argv)
{
	struct settings settings;
	int code;

	setlocale(LC_ALL, "");
	/* "segctl flows | head" ends here and quietly. */
	signal(SIGPIPE, SIG_DFL);
	settings_init(&settings);
	argv[0] = "segctl";
	code = command_group_run(&group, &settings, argc, argv);
	output_flush();
	return code;
}
