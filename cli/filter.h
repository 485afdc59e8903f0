/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --from, --to, --port, …: what flows, denied and map take, one to one the keys of the API. */
#pragma once

#include <argp.h>
#include <stdbool.h>

struct filter {
	char *url; /* of the request; begins as its path, and grows by each filter */
};

/* A parser to put among a command's children; its input is a struct filter. A word that is no
 * option names a workload. */
extern const struct argp filter_argp;

void filter_init(struct filter *filter, const char *path);
void filter_clear(struct filter *filter);
/* Something was filtered: an empty answer does not mean that nothing happened. */
bool filter_is_set(const struct filter *filter);

#define _cleanup_filter_ __attribute__((cleanup(filter_clear)))
