/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For a while in another network namespace: the calling thread alone, and only for what it does
 * between enter and leave. Sockets and interface indexes belong to the namespace that they were
 * made in.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct network_namespace {
	int home; /* -1: the thread is where it belongs */
};

#define NETWORK_NAMESPACE_INIT \
	{                      \
		-1             \
	}

/* target: a descriptor of the namespace. -errno: the thread has not moved. */
int network_namespace_enter(int target, struct network_namespace *ret);
/* If the way back fails, nothing this process does from then on would be done where it should: it
 * ends. (It cannot fail for lack of rights or memory: the way there has just succeeded.) */
void network_namespace_leave(struct network_namespace *visit);

#define _cleanup_namespace_ __attribute__((cleanup(network_namespace_leave)))

/* The number that the kernel never gives to another namespace until it boots again, of the one that
 * socket was made in. */
int network_namespace_cookie(int socket, uint64_t *ret);

/*
 * An interface that has no end on the node (macvlan, ipvlan) is known on the node by a number that
 * cannot be an index there: the kernel's are 31 bits wide.
 */
uint32_t network_namespace_interface(uint64_t cookie, uint32_t ifindex);

static inline bool network_namespace_is_interface(uint32_t number)
{
	return number >> 31;
}
