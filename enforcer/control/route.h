/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths of requests against paths of routes, and what stands in them. */
#pragma once

#include "control/server.h"

#include <stdbool.h>
#include <stddef.h>

struct parameter {
	char *name;
	char *value;
	bool query; /* of the query, else of the path */
};

struct parameters {
	struct parameter *items;
	size_t count;
};

/* Decodes value (percent-encoded) and copies both. -EINVAL: "%" without two digits, or a NUL;
 * -ENOMEM. */
int parameters_add(struct parameters *parameters, const char *name, size_t name_length,
	const char *value, size_t value_length, bool query);
void parameters_clear(struct parameters *parameters);

/* Whether path, still encoded, has the form of the route's path. */
bool route_matches(const struct control_route *route, const char *path);
/* The segments of a path that matches. Errors of parameters_add(). */
int route_parameters(
	const struct control_route *route, const char *path, struct parameters *parameters);
