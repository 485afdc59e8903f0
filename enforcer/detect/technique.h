/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The techniques of MITRE ATT&CK (Enterprise and Containers matrices) that detectors name. */
#pragma once

#include <stdbool.h>

struct technique {
	const char *id; /* "T1046", "T1021.004" */
	const char *name;
	const char *tactic;
	/* Who is its target may be the actor's from now on: what the target does next belongs to
	 * the same story. Having been looked at is not enough. */
	bool gives_access;
};

/* One that is not listed has its id as its name. Valid until the next call where it is not. */
const struct technique *technique_find(const char *id);
