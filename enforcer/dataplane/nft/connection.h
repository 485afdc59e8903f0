/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection as policy and flow events see it, and messages about it to conntrack. */
#pragma once

#include "base/large_hash.h"
#include "dataplane/nft/connection_entry.h"
#include "dataplane/nft/timeouts.h"
#include "flow/event.h"
#include "policies/evaluate.h"

#include <libmnl/libmnl.h>
#include <stdint.h>

/* There are many: what is small stands where there is a gap. */
struct connection {
	UT_hash_handle hh; /* beside the key: both are read of whichever one is met on the way */
	struct connection_key key;
	uint32_t round;    /* of the last listing that had it */
	uint64_t id;       /* for flow events */
	uint64_t start_ns; /* CLOCK_REALTIME, as are the next two */
	uint64_t last_ns;  /* last packet, as far as its time is known */
	uint64_t seen_ns;  /* when conntrack was last looked at for it: later packets are new */
	uint64_t packets[2];
	uint64_t bytes[2];
	uint64_t place; /* later ones have higher numbers */
	uint32_t rule;
	uint32_t other_rule; /* the other direction's; 0: no subject there */
	uint32_t judged;     /* by the how manieth policy */
	uint32_t missing_s; /* CLOCK_MONOTONIC: of the first listing that had it no more; 0: none */
	uint8_t direction;  /* enum direction */
	uint8_t verdict;    /* enum flow_verdict */
	uint8_t reason;     /* enum reason */
	uint8_t tcp_state;  /* enum tcp_conntrack */
	bool picked_up : 1; /* first seen in mid-stream … */
	bool turned : 1;    /* … and conntrack has the ends the wrong way round */
	bool put_back : 1;  /* its entry was deleted, and is there again */
	bool replied : 1;   /* there were packets both ways */
	bool told : 1;      /* that nobody answers */
	bool announced : 1; /* by an event, so its end will be, too */
	bool dated : 1;     /* start_ns is conntrack's, not when it was heard of */
	bool reported : 1;  /* with all that is known of it */
};

/* mnl_cb_t; userdata: uint32_t, left alone where the message does not say. */
int connection_parse_total(const struct nlmsghdr *message, void *userdata);
/* Whether entry is a later one than that of connection: an id comes of an entry's place in memory
 * and its addresses, so that whoever takes both over has the same one. */
bool connection_was_replaced(
	const struct connection *connection, const struct connection_entry *entry);
/* Counters, state and start, where entry has them. Where no packet has come since, there is nothing
 * new to report. With timeouts, also the time of its last packet: to a second in a listing, to a
 * tick of the kernel at its end; where the timeouts do not explain entry, the latest it can be.
 * NULL: entry does not tell of packets. */
void connection_update(struct connection *connection, const struct connection_entry *entry,
	const struct timeouts *timeouts);

/* "established", "opening", …; other protocols than TCP: "answered" or not. Static. */
const char *connection_state(const struct connection *connection);

struct flow_query connection_query(const struct connection_key *key);
/* From the client to the server, whichever way round conntrack has them. */
struct flow_event connection_event(
	const struct connection *connection, enum flow_event_type type, uint64_t now_ns);

/* Requests. buffer: at least CONNECTION_REQUEST_BYTES. */
#define CONNECTION_REQUEST_BYTES 2048
/* How many there are; the answer is for connection_parse_total(). */
struct nlmsghdr *connection_request_total(char *buffer);
struct nlmsghdr *connection_request_list(char *buffer);
/* Of those alone that nobody has answered; kernels before 6.0 list all. */
struct nlmsghdr *connection_request_unanswered(char *buffer);
/* message: what conntrack said of it. NULL: not who it is, or at great length. */
struct nlmsghdr *connection_request_delete(char *buffer, const struct nlmsghdr *message);
/* An established TCP connection whose sequence numbers nobody knows. NULL: out of memory. */
struct nlmsghdr *connection_request_seed(
	char *buffer, const struct flow_query *query, uint16_t source_port);
/* The one of which message told the end, with its translations. picked_up: as of struct connection.
 * NULL: out of memory, or it is no TCP connection. */
struct nlmsghdr *connection_request_put_back(
	char *buffer, const struct nlmsghdr *message, bool picked_up);
