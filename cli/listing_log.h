/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -r PATH…: flow logs in the place of the agent's answer. */
#pragma once

#include "filter.h"
#include "settings.h"

#include <jansson.h>

struct log_files {
	const char **paths;
	size_t count;
};

void log_files_add(struct log_files *files, const char *path);
void log_files_clear(struct log_files *files);

/* Calls record for each that matches, in the order of the files; record keeps nothing without a
 * reference. All files are read, whatever becomes of one of them; prints what cannot be. Returns an
 * exit code. */
int log_files_read(const struct settings *settings, const struct log_files *files,
	const struct flow_filter *filter, void (*record)(json_t *record, void *userdata),
	void *userdata);
/* {"flows": […], "gaps": n} of all that match, in the order of the files; of a limit, the last so
 * many. Prints what cannot be read. Returns an exit code; what could be read is in *ret whatever it
 * is. */
int log_files_collect(const struct settings *settings, const struct log_files *files,
	const struct filter *filter, json_t **ret);
/* Prints each as it is read, in a form of one record a line: any log, in little memory. Returns an
 * exit code. */
int log_files_print(const struct settings *settings, const struct log_files *files,
	const struct filter *filter);
