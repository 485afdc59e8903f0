/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory on a bpffs in which the kernel keeps what must survive the agent:
 *
 *   maps-<ABI version>-<digest of all map shapes>-<serial>/<map>
 *   links/<ifindex>-{leave,enter}      tcx links
 *   filters/<ifindex>-{leave,enter}    programs of clsact filters
 *
 * A set of maps is pinned under staging/ and renamed when it is whole, so a maps-… directory is
 * never half. The agent that uses the directory holds a lock on it: flock() works on directories,
 * so the lock needs no file (a bpffs has none), ends with the process, and means the same directory
 * in every mount and network namespace.
 */
#pragma once

#include "base/error.h"

#include <limits.h>
#include <stddef.h>

struct pins {
	char directory[PATH_MAX];
	int lock;
};

#define PINS_INIT          \
	{                  \
		.lock = -1 \
	}

/* Makes the directory, with a bpffs mounted where there is none, and locks it. -EBUSY: another
 * agent is using it; -ENAMETOOLONG. */
int pins_open(struct pins *pins, const char *directory, struct error *error);
void pins_close(struct pins *pins);

/* directory/part/name; part or name may be NULL. Paths that are too long were refused before. */
const char *pins_path(
	const struct pins *pins, const char *part, const char *name, char path[static PATH_MAX]);
/* Makes directory/part unless it is there. */
int pins_make(const struct pins *pins, const char *part, struct error *error);
/* Removes directory/part with all pins in it; one that is not there is fine. */
int pins_remove(const struct pins *pins, const char *part, struct error *error);
/* Calls visit with each name in directory/part ("": the directory itself). 0, also when it is not
 * there, or the first error of a visit. */
int pins_list(const struct pins *pins, const char *part,
	int (*visit)(const char *name, void *userdata, struct error *error), void *userdata,
	struct error *error);
