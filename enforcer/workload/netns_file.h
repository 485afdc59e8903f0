/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file that names network namespaces as workloads. */
#pragma once

#include "base/address.h"
#include "base/error.h"
#include "policies/diagnostic.h"
#include "policies/labels.h"
#include "policies/model.h"

#include <stddef.h>

#define NETNS_DIRECTORY "/run/netns"

/*
 * workloads:
 * - name: web
 *   namespace: default        # optional
 *   netns: web                # a name in /run/netns, or a path
 *   interface: eth0           # optional; default: every veth whose other end is on the node
 *   labels: {app: web}        # optional
 *   ports: {http: tcp/8080}   # optional: names for ports
 *   addresses: [10.0.0.2]     # optional; default: those that the interfaces have
 */
struct netns_spec {
	char *id; /* netns, and the interface where one is named: unique in the file */
	char *namespace;
	char *name;
	char *path; /* of the network namespace */
	char *interface;
	struct labels labels;
	struct model_port *ports;
	size_t ports_count;
	struct address *addresses;
	size_t addresses_count;
};

struct netns_file {
	struct netns_spec *items;
	size_t count;
};

/* All mistakes go to diagnostics; with any of them *ret is untouched. 0, -EINVAL, -ENOMEM. */
int netns_file_parse(const char *path, const char *text, size_t size, struct netns_file *ret,
	struct diagnostics *diagnostics);
/* As that, and the mistakes, each on a line of its own, become the error's message. */
int netns_file_load(const char *path, struct netns_file *ret, struct error *error);
void netns_file_clear(struct netns_file *file);
