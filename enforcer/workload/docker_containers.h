/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks at containers when it is told to, and puts what it finds into the registry. */
#pragma once

#include "workload/docker_http.h"
#include "workload/docker_parse.h"
#include "workload/registry.h"

#include <stdbool.h>
#include <systemd/sd-event.h>
#include <time.h>

struct docker_containers;

/* trouble is called when docker_containers_trouble() may have changed. http and registry are
 * borrowed. */
int docker_containers_new(struct docker_http *http, struct registry *registry, sd_event *event,
	void (*trouble)(void *userdata), void *userdata, struct docker_containers **ret);
void docker_containers_free(struct docker_containers *containers);

/* Events are followed from now on: containers that were started before may have connections that
 * are older than enforcement. */
void docker_containers_begin(struct docker_containers *containers, struct timespec now);
/*
 * Inspects the container; the answer reaches the registry later. One request a container is under
 * way: if asked again meanwhile, it looks once more. One that does not run or has vanished is
 * removed from the registry; one whose inspection fails stays as it was last known and is tried
 * again every second.
 */
int docker_containers_look(struct docker_containers *containers, const char *id);
/* It is no more: out of the registry at once. */
int docker_containers_remove(struct docker_containers *containers, const char *id);
/* Forgets what is under way; the registry stays. */
void docker_containers_reset(struct docker_containers *containers);

/* What is wrong with one of the containers; NULL: all is well. Valid until the next event. */
const char *docker_containers_trouble(const struct docker_containers *containers);

static inline void docker_containers_freep(struct docker_containers **containers)
{
	docker_containers_free(*containers);
}
