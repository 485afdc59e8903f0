/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory of the flow log: flows.log is written by log.c; here are the files that it was
 * before, flows-20261121T011900.123456Z.log, compressed when there is time (.zst), and deleted from
 * the oldest on when all together are too big. A current file that is long is compressed while it
 * is written, into flows.log.zst.part.
 */
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#define ARCHIVE_CURRENT "flows.log"
#define ARCHIVE_PREFIX  "flows-" /* then the time of the last line, without - and : */

struct archive;

#define ARCHIVE_FLOWS "flows" /* of the flow log; other logs have other names */

struct archive_usage {
	uint64_t bytes; /* with the current file */
	size_t files;
};

/* Makes the directory (0750) if it is not there, takes up what an earlier agent left half done.
 * name: what its files are called, "flows"; there may be others in the directory. */
int archive_open(const char *directory, const char *name, uint64_t total_bytes, sd_event *event,
	struct archive **ret, struct error *error);
void archive_close(struct archive *archive);
/* "flows.log"; borrowed. */
const char *archive_current(const struct archive *archive);
/* Of the directory; borrowed. */
int archive_directory_fd(const struct archive *archive);
/* The current file has as many bytes, of whole lines. */
void archive_grown(struct archive *archive, uint64_t bytes);
/* Gives the current file a name with the present time and makes room for another one of
 * next_bytes. */
int archive_rotate(struct archive *archive, uint64_t next_bytes, struct error *error);
int archive_usage(const struct archive *archive, struct archive_usage *ret);

static inline void archive_closep(struct archive **archive)
{
	archive_close(*archive);
}
