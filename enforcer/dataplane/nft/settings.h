/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps the kernel's settings (sysctls.h) as they must be while a data plane is in use. The kernel
 * tells nobody when a setting changes, so they are looked at once a second.
 */
#pragma once

#include "dataplane/dataplane.h"
#include "dataplane/nft/sysctls.h"

#include <stdbool.h>

struct settings {
	enum sysctls_scope scope;
	bool failing; /* one could not be turned on again, and that has been told */
	bool blind;   /* no bridged packet can be seen, and that has been told */
};

/* Turns on again what somebody turned off, and tells of it; of what it cannot mend, once. */
void settings_hold(struct settings *settings, const struct dataplane_callbacks *callbacks);
