/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policies as they are and as they would be, over one and the same cluster. */
#pragma once

#include "offline.h"

struct diff_options {
	const struct settings *settings;
	struct sources sources; /* -f: what would be applied */
	struct sources base;    /* --base; none: the running agent */
	bool replace;           /* what the files lack would be deleted */
	bool posture_given;
	enum posture posture;
};

struct diff_sides {
	struct offline before;
	struct offline after;
};

/* Prints what is wrong. Returns an exit code; mistakes in files are EXIT_USAGE here, since EXIT_NO
 * says that there is a difference. */
int diff_sides_load(const struct diff_options *options, struct diff_sides *ret);
void diff_sides_clear(struct diff_sides *sides);
