/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A list of records of which only the newest are wanted, whatever comes before them. */
#pragma once

#include <jansson.h>
#include <stddef.h>

struct newest {
	json_t *records; /* owned; at most twice as many as are wanted */
	size_t limit;    /* 0: all are wanted */
};

struct newest newest_make(size_t limit);
/* record is borrowed. */
void newest_add(struct newest *newest, json_t *record);
/* The newest of them, the oldest first, in a new reference; the list is gone. */
json_t *newest_take(struct newest *newest);
