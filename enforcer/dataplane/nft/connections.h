/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections that policy allowed, as conntrack reports them: new ones and ended ones by event,
 * counters by listing. Why conntrack and not the log: an entry is confirmed when its first packet
 * has passed every hook, other people's rules included, and its end and counters come the same way.
 * The deciding rule is the evaluator's on the policy in force; both judge alike, and an entry that
 * an earlier policy let in is cut when it arrives.
 *
 * Only connections of workloads under policy are kept. When policy no longer allows one, its
 * conntrack entry is deleted and FLOW_END with reason REVOKED and the refusing rule reported; its
 * next packet is in mid-stream and refused for that.
 */
#pragma once

#include "base/error.h"
#include "dataplane/dataplane.h"
#include "dataplane/nft/connection.h"
#include "dataplane/nft/nflog.h"
#include "dataplane/nft/touched.h"
#include "policies/evaluate.h"
#include "xdp/client_port.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#define CONNECTIONS_MAX ((size_t)262144)

struct connections;

struct connections_options {
	/* Whatever the policy says of these, they are allowed. NULL: none. */
	bool (*exempt)(const struct flow_query *query, void *userdata);
	void *userdata;
	/* Who opened a TCP connection that is first seen in mid-stream, as sent from a port. NULL:
	 * what the ports tell. */
	enum client_end (*client)(
		const struct flow_query *sent, uint16_t source_port, void *userdata);
	/* The kernel keeps the ends of connections until they are read, so that no packet is
	 * missing in a storm. They take room in conntrack's table meanwhile. For one of a
	 * process, since all who listen get those again that one of them had no room for. */
	bool reliable;
	/* How long after its beginning a table has TCP in mid-stream taken in; 0: never. */
	uint64_t adoption_ns;
	/* An earlier agent made the table, and may have cut some in that time. */
	bool inherited;
	/* Called when something was read of conntrack, before any of it is reported: what came
	 * before it by another way is reported first. NULL: there is no other way. */
	void (*before)(void *userdata);
};

/* options are copied. */
int connections_open(const struct dataplane_callbacks *callbacks,
	const struct connections_options *options, sd_event *event, struct connections **ret,
	struct error *error);
void connections_free(struct connections *connections);

/* The policy in force. Borrowed until the next call. NULL: none yet. */
void connections_set_ir(struct connections *connections, const struct ir *ir);

/* Takes in what the kernel has told by now. Before a policy is replaced: what began under it is
 * its. */
void connections_read(struct connections *connections);

/* Cuts what the policy in force refuses. touched: whom it treats otherwise than the one before, of
 * which nothing was left to be cut; NULL: nobody knows. */
int connections_revoke(
	struct connections *connections, const struct touched *touched, struct error *error);

/* Reports the counters of all that have not rested since they were reported (FLOW_UPDATE), and
 * finds what events have missed. */
int connections_collect(struct connections *connections, struct error *error);

/* The same, if announcements were dropped since the last listing. To be called every second; in a
 * storm it lists more seldom, so that it takes a twentieth of a CPU. */
int connections_find_missed(struct connections *connections, struct error *error);

/* Reports, once, those that nobody has answered for some 2 seconds (FLOW_UPDATE). To be called
 * every second; costs next to nothing where nothing new has begun, and a 400th of a CPU in a
 * storm, in which it takes seconds more. */
int connections_tell_unanswered(struct connections *connections, struct error *error);

/* Takes in a TCP connection of which this packet is from the middle, if policy allows it in either
 * orientation. False: it does not. */
bool connections_adopt(struct connections *connections, const struct nflog_packet *packet);

/* The others follow by hh.next in the order in which they came; state and counters are of the last
 * listing. NULL: there are none. Valid until the next event. */
const struct connection *connections_first(const struct connections *connections);

size_t connections_count(const struct connections *connections);
/* Events that the kernel dropped, and connections beyond CONNECTIONS_MAX; reliable: beginnings of
 * which only the ends were told. */
uint64_t connections_lost(const struct connections *connections);

static inline void connections_freep(struct connections **connections)
{
	connections_free(*connections);
}
