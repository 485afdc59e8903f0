/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One conntrack entry as policy and flow events see it, and messages about it. */
#pragma once

#include "base/address.h"
#include "base/hash.h"
#include "flow/event.h"
#include "policies/evaluate.h"

#include <libmnl/libmnl.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <stdint.h>

/* As the inet hooks judge it: before source NAT, behind destination NAT. */
struct connection_key {
	struct address source;
	struct address destination;
	uint16_t source_port; /* ICMP: its identifier */
	uint16_t destination_port;
	uint32_t id; /* conntrack's own */
	uint16_t type_code;
	uint8_t protocol;
	uint8_t pad;
};

struct connection {
	struct connection_key key;
	uint64_t id;       /* for flow events */
	uint64_t start_ns; /* CLOCK_REALTIME */
	uint64_t packets[2];
	uint64_t bytes[2];
	uint32_t rule;
	uint32_t other_rule; /* the other direction's; 0: no subject there */
	uint8_t direction;   /* enum direction */
	uint8_t verdict;     /* enum flow_verdict */
	uint8_t reason;      /* enum reason */
	uint8_t tcp_state;   /* enum tcp_conntrack */
	bool replied;        /* there were packets both ways */
	bool told;           /* that nobody answers */
	bool announced;      /* by an event, so its end will be, too */
	uint64_t place;      /* later ones have higher numbers */
	uint64_t round;      /* of the last listing that had it */
	uint64_t missing_ns; /* CLOCK_MONOTONIC: of the first that had it no more; 0: none */
	uint64_t judged;     /* by the how manieth policy */
	UT_hash_handle hh;
};

/* What conntrack says in message: into ct. -EINVAL */
int connection_parse(const struct nlmsghdr *message, struct nf_conntrack *ct);
/* mnl_cb_t; userdata: uint32_t, left alone where the message does not say. */
int connection_parse_total(const struct nlmsghdr *message, void *userdata);
struct connection_key connection_key(const struct nf_conntrack *ct);
/* Whether ct is a later entry than the one that connection is of: an id comes of an entry's place
 * in memory and its addresses, so that whoever takes both over has the same one. */
bool connection_was_replaced(const struct connection *connection, const struct nf_conntrack *ct);
/* Counters and start, where ct has them. */
void connection_update(struct connection *connection, const struct nf_conntrack *ct);

/* A new one that connection_request_seed() has made: no packet makes one assured at once. */
bool connection_is_seeded(const struct nf_conntrack *ct);

/* "established", "opening", …; other protocols than TCP: "answered" or not. Static. */
const char *connection_state(const struct connection *connection);

struct flow_query connection_query(const struct connection_key *key);
struct flow_event connection_event(
	const struct connection *connection, enum flow_event_type type, uint64_t now_ns);

/* Requests. buffer: at least CONNECTION_REQUEST_BYTES. */
#define CONNECTION_REQUEST_BYTES 2048
/* How many there are; the answer is for connection_parse_total(). */
struct nlmsghdr *connection_request_total(char *buffer);
struct nlmsghdr *connection_request_list(char *buffer);
/* Of those alone that nobody has answered; kernels before 6.0 list all. */
struct nlmsghdr *connection_request_unanswered(char *buffer);
struct nlmsghdr *connection_request_delete(char *buffer, const struct nf_conntrack *ct);
/* An established TCP connection whose sequence numbers nobody knows. NULL: out of memory. */
struct nlmsghdr *connection_request_seed(
	char *buffer, const struct flow_query *query, uint16_t source_port);
