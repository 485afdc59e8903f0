/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time of CLOCK_BOOTTIME at the resolution of a timer tick. Reading the clock source costs a
 * quarter of what an established packet may cost; the verifier turns bpf_jiffies64() into one load.
 */
#pragma once

#include "xdp/maps.bpf.h"

static __u64 tick_jiffies;
static __u64 tick_ns;

/* CPUs that race here store times of the same tick. A time may be a tick older than one that
 * another CPU stored: compare differences as signed. */
static __always_inline __u64 clock_now_ns(void)
{
	__u64 jiffies = bpf_jiffies64();

	if (jiffies != tick_jiffies) {
		tick_ns = bpf_ktime_get_boot_ns();
		tick_jiffies = jiffies;
	}
	return tick_ns;
}

static __always_inline int clock_passed(__u64 since_ns, __u64 duration_ns)
{
	return (__s64)(clock_now_ns() - since_ns) > (__s64)duration_ns;
}
