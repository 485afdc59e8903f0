/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two hooks of one interface, wherever it is: on the node, or in a workload's namespace. */
#pragma once

#include "dataplane/bpf/interfaces.h"

/* Attaches the interface's program by mechanism, which becomes the interface's. Errors as of
 * mechanism.attach. */
int interface_hook_attach(const struct interfaces *interfaces, struct interface *interface,
	enum abi_direction direction, const struct mechanism *mechanism);
/* What is on the hook. -ENODEV: the interface's namespace is not where it was. */
int interface_hook_query(
	const struct interface *interface, enum abi_direction direction, struct occupation *ret);
/* Today's program in the place of the one that is there. */
int interface_hook_exchange(const struct interfaces *interfaces, struct interface *interface,
	enum abi_direction direction);
/* Before those that others have put before ours. */
int interface_hook_advance(const struct interfaces *interfaces, struct interface *interface,
	enum abi_direction direction);
int interface_hook_detach(const struct interfaces *interfaces, const struct interface *interface,
	enum abi_direction direction);
