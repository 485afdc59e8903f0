/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which application protocol a connection speaks, as nDPI tells from the beginnings of its first
 * packets with payload. The library is loaded when detection is asked for, and not before: its
 * tables take some 7 MiB.
 *
 * Bounded: so many connections are under detection, and so many results kept; the longest silent
 * one makes room.
 */
#pragma once

#include "base/error.h"
#include "flow/observation.h"
#include "observe/flow_key.h"

#include <jansson.h>

#define APPLICATIONS_DETECTING 512  /* nDPI keeps about 1 KiB for each */
#define APPLICATIONS_MAX       8192 /* with those that are found out */
#define APPLICATION_PACKETS    10   /* that are looked at, at most */

struct applications;

/* -ELIBACC: nDPI is not there, or not the one that this was built for. */
int applications_new(struct applications **ret, struct error *error);
void applications_free(struct applications *applications);
void applications_sample(struct applications *applications, const struct flow_key *flow,
	const struct flow_sample *sample);
/* {"application": "tls", "server_name": "api.example.org"}, of this pool. A new reference; NULL:
 * not known. */
struct name *applications_of(
	struct applications *applications, const struct flow_key *flow, struct name_pool *pool);
/* The connection is over. */
void applications_end(struct applications *applications, const struct flow_key *flow);
/* {"detecting", "kept", "detected", "unknown", "evicted"} */
json_t *applications_describe(const struct applications *applications);

static inline void applications_freep(struct applications **applications)
{
	applications_free(*applications);
}
