/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flow log read without an agent: its files as they are, compressed ones too. */
#pragma once

#include "base/error.h"
#include "flow/flow_filter.h"

#include <jansson.h>

struct log_taker {
	/* Each record that matches, in the order of the log; not kept without a reference. */
	void (*record)(json_t *record, void *userdata);
	/* Each file that cannot be read, or not to its end. The others are read all the same. */
	void (*failed)(const struct error *error, void *userdata);
	void *userdata;
};

/*
 * path: a file, "-", or the directory of a log, whose files are read from the oldest on. A line
 * that is no record is passed over; returns how many there were.
 */
size_t log_file_read(
	const char *path, const struct flow_filter *filter, const struct log_taker *taker);
