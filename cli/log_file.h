/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flow log read without an agent: its files as they are, compressed ones too. */
#pragma once

#include "base/error.h"
#include "flow/flow_filter.h"

#include <jansson.h>

/*
 * Calls record for each record that matches, in the order of the log. path: a file, "-", or the
 * directory of a log, whose files are read from the oldest on. record may not keep what it is
 * given without a reference. A line that is no record is passed over and counted in
 * *ret_damaged. Negative errno: a file cannot be read.
 */
int log_file_read(const char *path, const struct flow_filter *filter,
	void (*record)(json_t *record, void *userdata), void *userdata, size_t *ret_damaged,
	struct error *error);
