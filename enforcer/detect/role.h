/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a baseline knows instead of addresses: roles of workloads, networks outside, services.
 *
 * The role of a workload is its namespace and what its labels say that it is: the first that it has
 * of app.kubernetes.io/name, k8s-app, app, com.docker.compose.service, name; behind it, if there is
 * one, its app.kubernetes.io/component, component, tier or role. Without any of the former it is
 * the workload's own name. So replicas share what they learnt, and a new pod begins with it.
 */
#pragma once

#include "flow/record.h"

#define ROLE_MAX    600
#define SERVICE_MAX 24

/* "shop/db", "shop/web:frontend", "host", "world". Returns text, or what the name keeps of it. */
const char *role_of(const struct name *name, char text[static ROLE_MAX]);
/* As above, but of the world the network: the /16 or, of IPv6, the /32 of its address. */
const char *role_of_peer(
	const struct name *name, const struct address *address, char text[static ROLE_MAX]);
/* "tcp/5432", "icmp". Ports from 32768 are one, "tcp/high": clients and servers agree on them by
 * other means, and they are others each time. */
const char *role_service(const struct flow_event *event, char text[static SERVICE_MAX]);
