/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --from, --to, --port, …: what flows, denied and map take, one to one the keys of the API. */
#pragma once

#include <argp.h>
#include <stddef.h>

#define FILTER_MAX 64

struct filter {
	struct {
		const char *key;
		const char *value;
	} terms[FILTER_MAX];
	size_t count;
};

/* A parser to put among a command's children; its input is a struct filter. A word that is no
 * option names a workload. */
extern const struct argp filter_argp;

void filter_to_url(const struct filter *filter, char **url);
