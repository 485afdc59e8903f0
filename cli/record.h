/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flow records, refusals and edges of the map (enforcer/control/API.md) in words. */
#pragma once

#include "table.h"

#include <jansson.h>

/* A member of an object: "" or 0 where it is not there or of another type. Borrowed. */
const char *field_text(const json_t *object, const char *key);
double field_number(const json_t *object, const char *key);
/* The sum of an array of numbers, such as packets: [n, n]. */
double field_sum(const json_t *object, const char *key);
/* The same of whole numbers, exact: what is beyond the largest is the largest. */
json_int_t field_total(const json_t *object, const char *key);
json_int_t field_integer(const json_t *object, const char *key);

/* "namespace/name"; namespace alone may be empty. New string, as are all below. */
char *record_name(const json_t *object);
/* One end of a flow: the workload's name, "host", the DNS name that the other end was told for the
 * address, or the address. */
char *record_end(const json_t *end);
/* The same with the address behind a DNS name, which says less than it: "api.example.org
 * (192.0.2.80)". */
char *record_end_full(const json_t *end);
/* The DNS name alone, the latest; NULL: none is known. Borrowed. */
const char *record_dns_name(const json_t *end);
/* "tcp/5432", "icmp/echo-request", "udp" */
char *record_port(const json_t *record);
/* "SegmentPolicy shop/db ingress[0]", "no rule of NetworkPolicy shop/db allows", or the reason
 * where no rule decided. */
char *record_why(const json_t *record);
/* A reason as a sentence; one that this version does not know as its name. Static or borrowed. */
const char *record_reason(const char *name);
/* "a=b, c=d"; "" without labels. */
char *record_labels(const json_t *labels);
/* "a, b": strings of an array. */
char *record_list(const json_t *array);

enum table_color record_color(const char *verdict);
