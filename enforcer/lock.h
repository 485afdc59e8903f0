/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two agents must not enforce on one network: each would undo what the other does. Nor may two keep
 * their policies in one directory. So an agent holds a lock for each, of the kind that ends with
 * whoever holds it (flock(2)): no stale one can be left behind. The file's text is the holder's
 * process id, for people, where the disk takes it. What is full or read only hinders no agent that
 * has been here before.
 */
#pragma once

#include "base/error.h"

/* Locks this network namespace, in /run/segd. -EBUSY: names the process that holds it. The lock
 * lasts until *ret is closed. */
int lock_network(int *ret, struct error *error);
/* Locks directory, which is made if it is not there. */
int lock_directory(const char *directory, int *ret, struct error *error);
