/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flow log: JSON lines in DIRECTORY/flows.log; under another name, a log of something else.
 * Lines wait in a bounded buffer for at most a second. While they cannot be written (disk full,
 * directory gone) the buffer keeps the oldest, the rest is counted, each second it is tried again,
 * and a gap record tells what is missing.
 */
#pragma once

#include "base/error.h"
#include "flow/name.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct flow_log;

struct flow_log_options {
	const char *directory;
	const char *name;        /* of its files, a static string; NULL: "flows" */
	uint64_t file_bytes;     /* rotate before a file gets bigger */
	uint64_t total_bytes;    /* of all files */
	uint64_t file_age_ns;    /* rotate a file that began longer ago; 0: never for its age */
	const struct name *node; /* for gap records; outlives the log */
};

/* A directory that cannot be written is no failure: see flow_log_describe(). */
int flow_log_new(const struct flow_log_options *options, sd_event *event, struct flow_log **ret);
/* Writes what is buffered. */
void flow_log_free(struct flow_log *log);

/* line ends with its newline. */
void flow_log_add(struct flow_log *log, const char *line, size_t length);
int flow_log_flush(struct flow_log *log, struct error *error);
/* {"bytes", "files", "lost", "failures": of attempts to write, "error": null|"…", of the last one}
 */
json_t *flow_log_describe(const struct flow_log *log);

/* Why the last attempt to write failed (owned by the caller; NULL: it did not), and how many
 * records there was no room for since the start. */
void flow_log_problem(const struct flow_log *log, char **ret_error, uint64_t *ret_lost);

static inline void flow_log_freep(struct flow_log **log)
{
	flow_log_free(*log);
}
