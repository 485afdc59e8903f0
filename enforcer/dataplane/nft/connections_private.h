/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What connections*.c share. */
#pragma once

#include "dataplane/nft/connections.h"
#include "dataplane/nft/inbox.h"
#include "dataplane/nft/revoked.h"
#include "dataplane/nft/strangers.h"
#include "dataplane/rest.h"

/* What an event said, and has not led to anything yet. */
struct arrival {
	const struct nlmsghdr *message; /* in the inbox */
	unsigned int hash;              /* of the entry's key */
	struct connection_entry entry;
};

struct connections {
	const struct dataplane_callbacks *callbacks;
	struct connections_options options;
	struct mnl_socket *socket;
	struct mnl_socket *events;
	struct inbox *inbox; /* where they are read */
	struct arrival arrivals[INBOX_SIZE];
	size_t arrived;
	sd_event_source *source;
	struct rest rest;
	const struct ir *ir;
	struct timeouts timeouts; /* as of the last listing for counters */
	struct connection *items;
	struct strangers strangers;
	struct revoked revoked;
	bool complete; /* items and strangers are all that the kernel has, but for pending events */
	bool missed;   /* announcements were dropped since the last listing */
	bool refused;  /* the kernel may have some that policy refuses, and that were not cut */
	uint32_t policies; /* that connections_set_ir() has told */
	uint32_t round;
	uint64_t listings;   /* of all that the kernel has, each try */
	uint64_t opened_ns;  /* CLOCK_REALTIME */
	uint64_t drained_ns; /* CLOCK_REALTIME: of what was announced before, all was read */
	uint64_t rested_ns;  /* CLOCK_MONOTONIC: no listing before, for what was missed */
	bool fetched;        /* events, of which none was looked at */
	bool reading;        /* events are being read: a listing in between reads none */
	unsigned int reads;  /* of them at the last time, INBOX_SIZE at most in each */
	uint64_t places;     /* that were given away */
	uint64_t asked;     /* the last place that the kernel was asked of whether it is answered */
	uint64_t asking_ns; /* CLOCK_MONOTONIC: it is not asked that before */
	uint64_t lost;
	uint64_t unheard; /* ends without a beginning, not reported as lost yet */
	uint32_t drops;   /* of events' socket, as far as they were told */
};

/* Whether an entry of a listing began after the last time that nothing was left to be read. Then
 * the end of one with the same id may be to be read, or both its beginning and its end. */
bool connections_is_ahead(
	const struct connections *connections, const struct connection_entry *entry);
struct connection *connections_find(
	const struct connections *connections, const struct connection_key *key);
/* One that begins now, and is kept nowhere yet. */
struct connection connections_begin(const struct connection_key *key);
/* Keeps a copy. NULL: no room, which is reported. */
struct connection *connections_add(struct connections *connections, const struct connection *begun);
void connections_drop(struct connections *connections, struct connection *connection);
/* Deletes the entry of which conntrack said message. -ENOENT: there is none any more. */
int connections_delete(const struct connections *connections, const struct nlmsghdr *message);
/* Somebody deleted the entry of an established TCP connection, as conntrack says in message. Where
 * policy allows it, makes another one: by its next segment, nobody could tell it from one that
 * never was. */
void connections_put_back(const struct connections *connections, struct connection *connection,
	const struct nlmsghdr *message);
/* It was deleted because policy refuses it: its next segment is none to take in. */
void connections_bar(struct connections *connections, const struct connection *connection);

bool connections_concern(const struct connections *connections, const struct connection_key *key);
/* Puts the policy's word on a connection; false: it is refused. */
bool connections_judge(const struct connections *connections, struct connection *connection);
/* The same for one that is kept. What is refused has the word of the policy that let it in until it
 * is cut: it may be over by itself before. */
bool connections_judge_again(const struct connections *connections, struct connection *connection);
/* Likewise of one that only its ends are known of, and puts it nowhere. */
struct evaluation connections_judge_query(
	const struct connections *connections, const struct flow_query *query);

/* What a TCP connection is taken for of which a packet was first seen in mid-stream. */
struct orientation {
	struct flow_query query;
	struct evaluation evaluation;
	bool turned; /* the receiver of that packet opened it */
};
struct orientation connections_orient(
	const struct connections *connections, const struct flow_query *sent, uint16_t source_port);

/* What came by another way before what was just read of conntrack. */
void connections_report_before(const struct connections *connections);
void connections_report(
	struct connections *connections, struct connection *connection, enum flow_event_type type);

/* Tells in a gap record what the kernel had no room for. Where it keeps the ends until they are
 * read, only a beginning can be lost, and the end tells of it. */
void connections_report_drops(struct connections *connections);

/* Before a listing of all, of which those that concern nobody are to be met as strangers. */
void connections_begin_listing(struct connections *connections);
void connections_meet_stranger(struct connections *connections, const struct connection_key *key);
/* One that a listing has, that concerns policy and is not known: its announcement is still to come,
 * or was lost, or it began as a stranger. Keeps it in *ret, and reports that it has begun. NULL: no
 * room, or the next listing does, for events of the one before it, with the same id, may be to be
 * read. False, and *ret stays: policy refuses it. */
bool connections_meet(struct connections *connections, const struct connection_entry *entry,
	struct connection **ret);

/* All events that the kernel has told by now are taken in; false: that cannot be said. */
bool connections_catch_up(struct connections *connections);
