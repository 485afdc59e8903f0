/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records and refusals in the words of other products, for collectors of security events. Both are
 * pure: a record in, an object out. New reference.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

/* Open Cybersecurity Schema Framework 1.4, class Network Activity (4001) with the profiles
 * security_control, host and container; a gap is a Base Event. */
json_t *export_ocsf(const json_t *record);
/* Elastic Common Schema 8.11; what it has no field for is under "segd". */
json_t *export_ecs(const json_t *record);

/* What both need. Values are taken; NULL, "" and an empty object are left out. */
void export_set(json_t *object, const char *key, json_t *value);
void export_set_text(json_t *object, const char *key, const char *text);
/* Copies a member under another name, where it is there. */
void export_copy(json_t *object, const char *key, const json_t *from, const char *member);

/* A member's time in nanoseconds since 1970; 0: it is not there. */
uint64_t export_time_ns(const json_t *record, const char *member);
/* When it happened: a refusal has no time but that of its last packet. */
const char *export_time_member(const json_t *record);
/* "new", "update", "end", "denied" or "gap"; a refusal is "denied". */
const char *export_event(const json_t *record);
/* Of IP, by its IANA number; -1: it is not IP. */
int export_protocol_number(const json_t *record);
/* 4, 6; 0: the ends have no addresses. */
int export_ip_version(const json_t *record);
/* The destination's, wherever it stands; 0: there is none. */
json_int_t export_destination_port(const json_t *record);
/* Packets or bytes: [0] of the originator, [1] of the responder. */
json_int_t export_counter(const json_t *record, const char *member, size_t side);
