/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Captures into files of one directory, which bounds what all of them take. */
#pragma once

#include "capture/capture.h"

#include <stddef.h>
#include <stdint.h>

struct capture_files;

/* Makes the directory (0700). total_bytes: of all files in it; the oldest go to make room for one
 * that begins. failed is told of a capture that ends before its time. */
int capture_files_new(const char *directory, uint64_t total_bytes,
	void (*failed)(const char *path, const struct error *error), struct capture_files **ret,
	struct error *error);
/* Ends the captures that are running. */
void capture_files_free(struct capture_files *files);

/*
 * Begins one that ends by itself: wish->bytes_max and duration_ns bound it. name is of the file:
 * anything but letters, digits, '-', '.' and '_' becomes '_'. *ret_path: the file's path; owned by
 * the caller. Errors as capture_new(), and those of files; -EINVAL: bytes_max is more than
 * total_bytes. No older file goes for one that cannot begin.
 */
int capture_to_file(struct capture_files *files, const char *name, const struct capture_wish *wish,
	const struct capture_world *world, sd_event *event, char **ret_path, struct error *error);
