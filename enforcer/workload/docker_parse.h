/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the Docker Engine API says, as structures. Pure: no I/O. Everything is untrusted input:
 * container names and labels are written by whoever may build an image.
 *
 * Docker Engine API 1.41 <https://docs.docker.com/engine/api/v1.41/>.
 */
#pragma once

#include "base/error.h"
#include "workload/registry.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define DOCKER_SOURCE     "docker"
#define DOCKER_ID_LENGTH  64
#define DOCKER_LABELS_MAX 1024
/* Longer than any value that a selector can name, so what is cut off changes no match. */
#define DOCKER_LABEL_VALUE_MAX_BYTES 1024
/* "http=tcp/8080,metrics=tcp/9100": the names that policies may use for a container's ports. */
#define DOCKER_PORTS_LABEL "segctl.io/ports"

/* The runtime's text, of which one container's label must not make the whole unreadable: NUL, which
 * jansson takes in no key, is U+FFFD, and numbers are reals, which hold 64 bits without a sign,
 * too. NULL: it is no JSON, *problem says why, or memory ran out. */
json_t *docker_json(const char *text, size_t size, json_error_t *problem);

/* GET /containers/{id}/json */
struct docker_container {
	/* NULL: it does not run, or shares another container's network: what policies say about
	 * that one binds both. Interfaces have MAC, network and addresses as Docker's IPAM gave
	 * them out, but no ifindex yet. */
	struct workload *workload;
	pid_t pid;
	char *sandbox; /* path of its network namespace, or NULL */
	char *problem; /* what was wrong with it and was passed over, or NULL */
};

/* -EBADMSG: not an inspect document, or beyond a bound. */
int docker_parse_container(
	const json_t *document, struct docker_container *ret, struct error *error);
void docker_container_clear(struct docker_container *container);

/* GET /events: one line. */
enum docker_event_kind {
	DOCKER_EVENT_OTHER,
	DOCKER_EVENT_CONTAINER_CHANGED, /* look at it */
	DOCKER_EVENT_CONTAINER_GONE,
	DOCKER_EVENT_NETWORKS_CHANGED,
};

struct docker_event {
	enum docker_event_kind kind;
	char id[DOCKER_ID_LENGTH + 1]; /* of the container, or "" */
};

/* -EBADMSG. */
int docker_parse_event(const json_t *document, struct docker_event *ret, struct error *error);

/* GET /containers/json and GET /networks: the ids of what runs; the names of the bridges. */
struct docker_names {
	char **items;
	size_t count;
};

int docker_parse_containers(const json_t *document, struct docker_names *ret, struct error *error);
int docker_parse_bridges(const json_t *document, struct docker_names *ret, struct error *error);
void docker_names_clear(struct docker_names *names);

/* The member's string; "" where there is none. */
const char *docker_string(const json_t *object, const char *name);

/* 64 hexadecimal digits: what may be put into a request's path. */
bool docker_id_is_valid(const char *id);
