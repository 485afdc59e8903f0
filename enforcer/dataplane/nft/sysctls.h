/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel settings that this data plane needs while it is in use: bridged packets come to the inet
 * hooks (net.bridge.bridge-nf-call-*), conntrack counts and keeps times. What they were before is
 * kept as a note in the table's comment, so that a later agent can restore it, too.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define SYSCTLS_NOTE_MAX 64

enum sysctls_scope {
	SYSCTLS_ALL,
	SYSCTLS_CONNTRACK, /* without those for bridges */
};

/* Reads what is set now. */
void sysctls_note(enum sysctls_scope scope, char note[static SYSCTLS_NOTE_MAX]);
/* Turns everything on. -EACCES etc. with the setting's name; what the kernel does not have is
 * passed over. ret_was_off (may be NULL): the first that was not on; untouched where all were. */
int sysctls_turn_on(enum sysctls_scope scope, const char **ret_was_off, struct error *error);
/* Back to what note says. Best effort: there is nobody left to tell. */
void sysctls_restore(const char *note);

/* Do the inet hooks see what bridges forward? Else this is what to say of it. */
#define SYSCTLS_BLIND                                                                \
	"traffic within one bridge is not seen: the kernel has no br_netfilter, or " \
	"net.bridge.bridge-nf-call-iptables and -ip6tables are not 1"
bool sysctls_bridge_is_filtered(void);
