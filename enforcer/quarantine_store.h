/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Quarantines on disk: DIR/quarantine.json, replaced as a whole (written beside, synced, renamed),
 * so that a crash leaves the old set or the new one.
 *
 *   {"version": 1, "quarantines": [{"namespace", "name", "reason", "allow": […], "id": null|"…",
 *    "user", "uid", "origin", "since_ns", "until_ns"}]}
 */
#pragma once

#include "base/error.h"
#include "quarantine_list.h"

/* A missing file is an empty list. A damaged one is -EBADMSG, and the agent must not go on with
 * fewer than there were. *ret is untouched on failure. */
int quarantine_store_load(const char *directory, struct quarantine_list *ret, struct error *error);
/* On disk when it returns. Makes the directory (0700) where it is missing. */
int quarantine_store_save(
	const char *directory, const struct quarantine_list *list, struct error *error);
