/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands, one a file, and the tables that lead to them. */
#pragma once

#include "settings.h"

struct command {
	const char *name;
	const char *summary;
	/* argv[0] is the whole name, "segctl policy apply". Returns an enum exit_code. */
	int (*run)(struct settings *settings, int argc, char **argv);
};

struct command_group {
	const char *summary;
	const struct command *commands; /* ended by one without a name */
	/* What is meant where no command's name follows the options that every command takes;
	 * NULL: there has to be one. */
	int (*otherwise)(struct settings *settings, int argc, char **argv);
};

/* Takes the options that stand before the command's name, finds the command and runs it. */
int command_group_run(
	const struct command_group *group, struct settings *settings, int argc, char **argv);

/* "Commands:" and a line for each, as they stand in a --help. New string. */
char *command_group_list(const struct command_group *group);

extern const struct command_group alerts_group;

int status_run(struct settings *settings, int argc, char **argv);
int doctor_run(struct settings *settings, int argc, char **argv);
int workloads_run(struct settings *settings, int argc, char **argv);
int inspect_run(struct settings *settings, int argc, char **argv);
int inspect_workload_run(struct settings *settings, int argc, char **argv);
int inspect_policy_run(struct settings *settings, int argc, char **argv);
int inspect_rule_run(struct settings *settings, int argc, char **argv);
int inspect_dataplane_run(struct settings *settings, int argc, char **argv);
int policy_run(struct settings *settings, int argc, char **argv);
int policy_apply_run(struct settings *settings, int argc, char **argv);
int policy_confirm_run(struct settings *settings, int argc, char **argv);
int policy_get_run(struct settings *settings, int argc, char **argv);
int policy_delete_run(struct settings *settings, int argc, char **argv);
int policy_lint_run(struct settings *settings, int argc, char **argv);
int policy_matrix_run(struct settings *settings, int argc, char **argv);
int policy_diff_run(struct settings *settings, int argc, char **argv);
int policy_test_run(struct settings *settings, int argc, char **argv);
int policy_trace_run(struct settings *settings, int argc, char **argv);
int quarantine_run(struct settings *settings, int argc, char **argv);
int quarantine_add_run(struct settings *settings, int argc, char **argv);
int quarantine_list_run(struct settings *settings, int argc, char **argv);
int quarantine_remove_run(struct settings *settings, int argc, char **argv);
int flows_run(struct settings *settings, int argc, char **argv);
int denied_run(struct settings *settings, int argc, char **argv);
int capture_run(struct settings *settings, int argc, char **argv);
int map_run(struct settings *settings, int argc, char **argv);
int top_run(struct settings *settings, int argc, char **argv);
int detect_run(struct settings *settings, int argc, char **argv);
int alerts_run(struct settings *settings, int argc, char **argv);
int alerts_list_run(struct settings *settings, int argc, char **argv);
int alerts_show_run(struct settings *settings, int argc, char **argv);
int alerts_ack_run(struct settings *settings, int argc, char **argv);
int alerts_mute_run(struct settings *settings, int argc, char **argv);
int alerts_unmute_run(struct settings *settings, int argc, char **argv);
int alerts_mutes_run(struct settings *settings, int argc, char **argv);
int baseline_run(struct settings *settings, int argc, char **argv);
int baseline_show_run(struct settings *settings, int argc, char **argv);
int baseline_forget_run(struct settings *settings, int argc, char **argv);
int alerts_incidents_run(struct settings *settings, int argc, char **argv);
