/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where captured packets go: a file or a pipe, as pcapng or as plain pcap. Whole blocks are written
 * as they come, so that what is there is complete up to the last packet whatever ends the program.
 */
#pragma once

#include "base/error.h"
#include "capture/pcapng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct capture_output {
	const char *name; /* of the file, for messages */
	int fd;
	bool is_pcap;       /* else pcapng */
	uint64_t bytes_max; /* 0: no bound */
	uint64_t bytes;
	uint64_t packets;
	uint64_t dropped;           /* by the kernel, as the stream says */
	uint64_t dropped_by_reader; /* since we were too slow */
	bool is_full;               /* bytes_max would have been passed */
	uint8_t *partial;           /* the block that is not whole yet */
	size_t partial_length;
};

/* path: "-": standard output. A file is made readable for its owner alone. */
int capture_output_open(const char *path, bool is_pcap, uint64_t bytes_max,
	struct capture_output *ret, struct error *error);
/* The next bytes of a stream in pcapng. 1: it is full; -EPROTO: that is no such stream; errors of
 * writing, after which the file ends behind the last packet that is whole. */
int capture_output_feed(
	struct capture_output *output, const uint8_t *bytes, size_t length, struct error *error);
void capture_output_close(struct capture_output *output);
