/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel can do is found out by doing it: on the loopback interface of a network namespace
 * that a thread makes for itself and that ends with it.
 */
#pragma once

#include <stddef.h>

enum trial {
	TRIAL_TCX,
	TRIAL_CLSACT,
	TRIAL_XDP_LINK,
	TRIAL_NFTABLES,
	TRIAL_NETDEV_INGRESS,
	TRIAL_NETDEV_EGRESS,
	TRIAL_NFLOG,
	TRIAL_CTNETLINK,
	TRIALS
};

/* results[i] becomes 0 where it worked, else what the kernel said (negative errno). -errno: no
 * namespace can be made, and nothing was tried. */
int trial_run(int results[static TRIALS]);
