/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl alerts: what detectors found. Without a word behind it, it lists. */
#include "command.h"

static const struct command commands[] = {
	{"list", "what was found, as without a command", alerts_list_run},
	{"show", "one alert or incident: time line, evidence, response", alerts_show_run},
	{"incidents", "alerts that tell one story, as one", alerts_incidents_run},
	{"ack", "somebody has seen it", alerts_ack_run},
	{"mute", "keep quiet about alerts like this for a while", alerts_mute_run},
	{"unmute", "end a mute", alerts_unmute_run},
	{"mutes", "what is muted, until when, by whom and why", alerts_mutes_run},
	{0},
};

const struct command_group alerts_group = {
	.summary = "What detectors found in the flows: who does what, how bad it is, and why.",
	.commands = commands,
	.otherwise = alerts_list_run,
};

int alerts_run(struct settings *settings, int argc, char **argv)
{
	return command_group_run(&alerts_group, settings, argc, argv);
}
