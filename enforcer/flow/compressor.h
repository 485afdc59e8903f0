/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turns one file into a zstd file of its own (RFC 8878), in small steps while the event loop has
 * nothing else to do. zstdcat and zstdgrep read it.
 */
#pragma once

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

static inline void compressor_freep(struct compressor **compressor)
{
	compressor_free(*compressor);
}
