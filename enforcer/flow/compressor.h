/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turns one file into a zstd file of its own (RFC 8878), in small steps while the event loop has
 * nothing else to do. zstdcat and zstdgrep read it.
 *
 * A file that still grows is followed, a few steps behind: what was written a moment ago is in the
 * processor's cache, and the work comes bit by bit.
 */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

#define COMPRESSOR_SUFFIX      ".zst"
#define COMPRESSOR_PART_SUFFIX ".zst.part"

struct compressor;

/* done: result 0 or -errno; may start the next file. */
int compressor_new(sd_event *event, void (*done)(int result, void *userdata), void *userdata,
	struct compressor **ret);
/* What is under way is given up; the source file stays. */
void compressor_free(struct compressor *compressor);

/* Makes name.zst of name in the directory and removes name. Until then it is called name.zst.part.
 * -EBUSY: another file is under way. */
int compressor_start(struct compressor *compressor, int directory_fd, const char *name);
/* The same of a file to which lines are still added, as far as compressor_grown() says, and which
 * is not removed before compressor_complete(). Fails with -EIO where somebody cuts it. */
int compressor_follow(struct compressor *compressor, int directory_fd, const char *name);
void compressor_grown(struct compressor *compressor, uint64_t bytes);
/* Nothing is added any more; it has been renamed to name. */
void compressor_complete(struct compressor *compressor, const char *name);

static inline void compressor_freep(struct compressor **compressor)
{
	compressor_free(*compressor);
}
