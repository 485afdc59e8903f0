/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages that wait to be taken somewhere. Bounded: one more than there is room for takes the
 * place of the oldest, which is counted. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define OUTBOX_MAX 256

struct outbox {
	char *messages[OUTBOX_MAX]; /* a ring */
	size_t first;
	size_t count;
	uint64_t dropped;
};

/* Takes message; NULL (out of memory) counts as dropped. */
void outbox_add(struct outbox *outbox, char *message);
/* The oldest, now the caller's; NULL: there is none. */
char *outbox_take(struct outbox *outbox);
void outbox_clear(struct outbox *outbox);
