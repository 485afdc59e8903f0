/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A source of workloads: Docker, a file of network namespaces, … Each is one file behind this. */
#pragma once

#include "base/error.h"
#include "workload/registry.h"

#include <stdbool.h>
#include <systemd/sd-event.h>

struct workload_source;

struct workload_source_callbacks {
	/* The connection to the runtime was lost (healthy = false) or is back. The last known
	 * workloads stay in force. message is borrowed. */
	void (*health)(const char *source, bool healthy, const char *message, void *userdata);
	/* A bridge whose ports belong to this runtime's workloads: a new veth on it is guarded
	 * before its workload is known. */
	void (*bridge)(const char *source, const char *bridge, bool present, void *userdata);
	void *userdata;
};

struct workload_source_ops {
	const char *name; /* "docker", "netns" */
	/* where: a socket path (docker) or a file (netns). Lists what runs, then follows. Does not
	 * block on the runtime; a runtime that is not there yet is retried (health says so). A file
	 * that cannot be read or parsed is an error at once. */
	int (*open)(const char *where, struct registry *registry,
		const struct workload_source_callbacks *callbacks, sd_event *event,
		struct workload_source **ret, struct error *error);
	/* Re-reads everything (SIGHUP). */
	int (*refresh)(struct workload_source *source, struct error *error);
	void (*close)(struct workload_source *source);
};

extern const struct workload_source_ops docker_source_ops;
extern const struct workload_source_ops netns_source_ops;
