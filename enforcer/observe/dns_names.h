/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which names workloads were told that addresses have: for each workload its own, so that what one
 * was told is never shown for another. A name holds for as long as its answer said, within bounds,
 * and for the connections that began in that time.
 *
 * Bounded in addresses for a workload, in all, and in bytes: the longest not told makes room. Where
 * the pool of names is crowded, ends stay without.
 */
#pragma once

#include "flow/name.h"

#include "base/address.h"

#include <jansson.h>
#include <stdint.h>

#define DNS_NAMES_PER_WORKLOAD 512
#define DNS_NAMES_ADDRESSES    8192
#define DNS_NAMES_BYTES        (2UL << 20)
#define DNS_NAMES_PER_ADDRESS  4
#define DNS_TTL_LEAST_SECONDS  300 /* programs go on with what they looked up a while ago */
#define DNS_TTL_MOST_SECONDS   86400

struct dns_names;

int dns_names_new(struct dns_names **ret);
void dns_names_free(struct dns_names *names);

/* workload was told at time_ns that text is the name of address. Out of memory, it is counted. */
void dns_names_learn(struct dns_names *names, struct name *workload, const struct address *address,
	const char *text, uint64_t time_ns, uint32_t ttl_seconds);

/* end, which is who has address, with "names" that workload knew it by when a connection began, the
 * latest first. A new reference; NULL: it knew none. */
struct name *dns_names_apply(struct dns_names *names, const struct name *workload,
	const struct address *address, struct name *end, uint64_t start_ns);

/* {"workloads", "addresses", "bytes", "evicted", "crowded", "failed"} */
json_t *dns_names_describe(const struct dns_names *names);
