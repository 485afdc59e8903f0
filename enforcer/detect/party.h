/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is at the ends of a record, and what for: as keys for ledgers, and in words. */
#pragma once

#include "flow/record.h"

#include <stdbool.h>
#include <stdint.h>

/* A workload is one party whatever its addresses; others are their address. The same in each run.
 */
uint64_t party_key(const struct record *record, enum record_end end);
/* What the baseline knows a record as: role, peer's role, service (role.h). */
uint64_t party_edge(const struct record *record);
/* Protocol and destination port. ICMP has no ports. */
uint64_t party_service(const struct record *record);
uint64_t party_join(uint64_t a, uint64_t b);
uint64_t party_address_key(const struct address *address);

const struct name *party_name(const struct record *record, enum record_end end);
bool party_is_workload(const struct record *record, enum record_end end);
/* Neither a workload nor the node: "world", or nothing is known. */
bool party_is_world(const struct record *record, enum record_end end);
/* Multicast and broadcast go to whoever listens. */
bool party_is_group(const struct address *address);

/* "shop/web", else "the host 10.0.0.1", else "203.0.113.9". Returns text. */
#define PARTY_TEXT_MAX 160
const char *party_format(
	const struct name *name, const struct address *address, char text[static PARTY_TEXT_MAX]);
/* "tcp/5432", "icmp". Returns text. */
#define SERVICE_TEXT_MAX 24
const char *service_format(const struct record *record, char text[static SERVICE_TEXT_MAX]);
/* "3.2 s", "4 min", "7 h". Returns text. */
#define DURATION_TEXT_MAX 24
const char *duration_format(uint64_t duration_ns, char text[static DURATION_TEXT_MAX]);
/* "200 MB". Returns text. */
#define BYTES_TEXT_MAX 24
const char *bytes_format(uint64_t bytes, char text[static BYTES_TEXT_MAX]);
