/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attaching to tcx waits for an RCU grace period with the lock of all network configuration held:
 * some 12 ms, in which no container can be set up. The kernel's own network code asks for expedited
 * grace periods there, and so do we, by /sys/kernel/rcu_expedited, for as long as the call takes.
 * Where that cannot be written, or is on already, nothing happens. Waiting for packets does the
 * same.
 */
#pragma once

struct grace {
	int fd; /* -1: nothing to take back */
};

struct grace grace_hurry(void);
/* Keeps errno. */
void grace_relax(struct grace *grace);

#define _cleanup_grace_ __attribute__((cleanup(grace_relax)))
