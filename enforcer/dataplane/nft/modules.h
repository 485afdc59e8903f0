/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel modules that bring the settings of sysctls.h with them. Rules make the kernel load what
 * they need by itself, but no rule needs br_netfilter, and conntrack's settings are wanted before
 * there is a rule.
 */
#pragma once

/* Best effort: what the kernel has built in or does not have at all is no error, and
 * sysctls_bridge_is_filtered() says what came of it. Takes CAP_SYS_MODULE. */
void modules_load(void);
