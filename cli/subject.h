/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NAME: the one thing that a command is about. */
#pragma once

#include "client.h"
#include "settings.h"

struct subject {
	const char *name;
	const char *rest; /* a second word; NULL: not given */
	int words_max;
};

/* Its input is a struct subject. */
extern const struct argp subject_argp;

/* GET of path and, behind it, the name. Returns an exit code. */
int subject_fetch(const struct settings *settings, const struct subject *subject, const char *path,
	json_t **ret);
