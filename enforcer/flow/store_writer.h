/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The thread that writes the store: one batch at a time, again and again until it is on file.
 * Opening, the search for damage and what is too old are its business, too.
 */
#pragma once

#include "base/error.h"
#include "flow/store_insert.h"
#include "flow/store_retention.h"

#include <stdbool.h>
#include <stdint.h>

struct store_writer;

/* path and what retention points to are copied. */
int store_writer_new(
	const char *path, const struct store_retention *retention, struct store_writer **ret);
/* Tries once more to write what it was given. */
void store_writer_free(struct store_writer *writer);

/* The batch stays the caller's, who must not touch it until store_writer_is_idle(). */
void store_writer_give(struct store_writer *writer, const struct store_batch *batch);
bool store_writer_is_idle(struct store_writer *writer);
/* Waits until it is idle or has failed once more. 0, or the failure. */
int store_writer_wait(struct store_writer *writer, struct error *error);

struct store_writer_state {
	bool ready; /* the file is open and sound */
	int64_t bytes;
	uint64_t failures;
	char *error;     /* owned; NULL: none */
	char *set_aside; /* owned; NULL: none */
};

void store_writer_state(struct store_writer *writer, struct store_writer_state *ret);
void store_writer_state_clear(struct store_writer_state *state);
