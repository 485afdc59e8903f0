/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes of samples of packets what records say besides addresses: the names that workloads looked
 * up, figures of what they asked DNS for, and application protocols.
 *
 * Who can forge names: a name is what the workload itself was told. Only an answer counts that came
 * by a connection which this workload opened to port 53, under the id, and to the question, of a
 * query of its own that still waits. So no workload can make up names for another; its DNS server
 * can say whatever it likes, as can who guesses id and port before that server answers, which would
 * deceive the workload as well. A workload that runs a DNS server of its own, or asks one that
 * belongs to an attacker, can give any name to the addresses that it talks to itself. Names are for
 * people to read, and no policy uses them.
 *
 * Not seen: DNS over TCP, TLS, QUIC or HTTPS, answers in fragments, what is behind the first 952
 * bytes of an answer, and queries between processes of one workload.
 */
#pragma once

#include "base/error.h"
#include "flow/event.h"
#include "flow/observation.h"
#include "flow/sample.h"

#include <jansson.h>
#include <stdbool.h>

struct observer;

struct observer_options {
	bool applications; /* load nDPI */
	/* Who has an address, as records say it: equal names are one. New reference, or NULL. */
	struct name *(*endpoint)(const struct address *address, void *userdata);
	void *userdata;
};

int observer_new(
	const struct observer_options *options, struct observer **ret, struct error *error);
void observer_free(struct observer *observer);

void observer_sample(struct observer *observer, const struct flow_sample *sample);
/* As struct flow_resolver has them. */
struct name *observer_named(struct observer *observer, const struct name *workload,
	const struct address *address, struct name *end, uint64_t start_ns);
void observer_observed(struct observer *observer, const struct flow_event *event,
	struct name_pool *pool, struct flow_observation *ret);

/* {"samples": n, "names": {…}, "queries": {…}, "dns": {…}, "malformed": n, "applications":
 * null|{…}}
 */
json_t *observer_describe(const struct observer *observer);
