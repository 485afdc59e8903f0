/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/connections_private.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "dataplane/nft/netlink.h"
#include "dataplane/nft/snapshot.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_compat.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>

/* In the rest of a storm that is 200,000 events a second, more than can be read. */
#define READS_PER_WAKE (4096 / INBOX_SIZE)
#define READS_MAX      32 /* times as many */

static void report_gap(struct connections *connections, uint64_t lost)
{
	const struct flow_event event = {
		.type = FLOW_GAP, .time_ns = clock_ns(CLOCK_REALTIME), .lost = lost};

	connections->lost += lost;
	connections->callbacks->flow(&event, connections->callbacks->userdata);
}

void connections_report_drops(struct connections *connections)
{
	uint32_t drops = netlink_drops(connections->events);
	uint64_t lost =
		connections->options.reliable ? connections->unheard : drops - connections->drops;

	if (drops != connections->drops) {
		connections->complete = false;
		connections->missed = true;
	}
	connections->drops = drops;
	connections->unheard = 0;
	if (lost)
		report_gap(connections, lost);
}

struct connection *connections_find(
	const struct connections *connections, const struct connection_key *key)
{
	struct connection *connection;

	HASH_FIND(hh, connections->items, key, sizeof(*key), connection);
	return connection;
}

void connections_drop(struct connections *connections, struct connection *connection)
{
	HASH_DEL(connections->items, connection);
	free(connection);
}

bool connections_concern(const struct connections *connections, const struct connection_key *key)
{
	return connections->ir && (snapshot_is_subject(connections->ir, &key->source) ||
					  snapshot_is_subject(connections->ir, &key->destination));
}

/* The rule of the direction that is not named as the deciding one; 0: no subject there. */
static uint32_t other_rule(const struct ir *ir, const struct flow_query *query,
	const struct evaluation *evaluation, enum direction direction)
{
	bool egress = direction == DIRECTION_INGRESS;

	if (!snapshot_is_subject(ir, egress ? &query->source : &query->destination))
		return 0;
	return ir->rules[egress ? evaluation->egress.rule : evaluation->ingress.rule].id;
}

/* As evaluate(), but what is exempt is allowed in the name of nobody. */
struct evaluation connections_judge_query(
	const struct connections *connections, const struct flow_query *query)
{
	const struct connections_options *options = &connections->options;
	const struct decision exempt = {VERDICT_ALLOW, 0, IR_RULE_DEFAULT};

	if (!options->exempt || !options->exempt(query, options->userdata))
		return evaluate(connections->ir, query);
	return (struct evaluation){
		VERDICT_ALLOW, DIRECTION_INGRESS, .egress = exempt, .ingress = exempt};
}

static struct orientation orient(
	const struct connections *connections, const struct connection *connection)
{
	const struct flow_query query = connection_query(&connection->key);

	if (connection->picked_up)
		return connections_orient(connections, &query, connection->key.source_port);
	return (struct orientation){query, connections_judge_query(connections, &query), false};
}

bool connections_judge(const struct connections *connections, struct connection *connection)
{
	const struct orientation orientation = orient(connections, connection);
	const struct flow_query *query = &orientation.query;
	const struct evaluation *evaluation = &orientation.evaluation;
	enum direction direction;

	/* Records that follow have the ends and the counters as the first one. */
	if (!connection->judged)
		connection->turned = orientation.turned;
	connection->judged = connections->policies;
	snapshot_explain(connections->ir, query, evaluation, &direction, &connection->rule);
	connection->other_rule = other_rule(connections->ir, query, evaluation, direction);
	connection->direction = direction;
	if (evaluation->verdict == VERDICT_DENY) {
		connection->reason = REASON_REVOKED;
		return false;
	}
	connection->verdict = FLOW_ALLOWED;
	connection->reason = connection->picked_up || connection->put_back ? REASON_ADOPTED
									   : REASON_POLICY_ALLOWED;
	if ((evaluation->egress.flags | evaluation->ingress.flags) & DECISION_AUDIT) {
		connection->verdict = FLOW_AUDITED;
		connection->reason = REASON_AUDITED;
	}
	return true;
}

bool connections_judge_again(const struct connections *connections, struct connection *connection)
{
	struct connection judged = *connection;

	if (!connections_judge(connections, &judged))
		return false;
	*connection = judged;
	return true;
}

void connections_report_before(const struct connections *connections)
{
	if (connections->options.before)
		connections->options.before(connections->options.userdata);
}

/* What a policy that has changed since has to say of a connection is asked when somebody hears. */
void connections_report(
	struct connections *connections, struct connection *connection, enum flow_event_type type)
{
	struct flow_event event;

	if (connection->judged != connections->policies)
		(void)connections_judge_again(connections, connection);
	connection->reported = true;
	event = connection_event(connection, type, clock_ns(CLOCK_REALTIME));
	connections->callbacks->flow(&event, connections->callbacks->userdata);
}

struct connection connections_begin(const struct connection_key *key)
{
	static uint32_t sequence; /* of the node's connections, too */
	uint64_t now_ns = clock_ns(CLOCK_REALTIME);

	return (struct connection){
		.key = *key,
		.id = flow_event_id(now_ns, sequence++),
		.start_ns = now_ns,
		.last_ns = now_ns,
	};
}

static struct connection *insert(struct connections *connections, const struct connection *begun)
{
	struct connection *connection = NULL;

	if (HASH_COUNT(connections->items) < CONNECTIONS_MAX)
		connection = malloc(sizeof(*connection));
	if (!connection)
		return NULL;
	*connection = *begun;
	connection->round = connections->round;
	connection->place = ++connections->places;
	HASH_ADD(hh, connections->items, key, sizeof(connection->key), connection);
	if (HASH_ADDED(connection))
		return connection;
	free(connection);
	return NULL;
}

struct connection *connections_add(struct connections *connections, const struct connection *begun)
{
	struct connection *connection = insert(connections, begun);

	if (connection)
		return connection;
	connections->complete = false;
	if (!connections->options.reliable) /* else its end tells that it is missing */
		report_gap(connections, 1);
	return NULL;
}

int connections_delete(const struct connections *connections, const struct nlmsghdr *message)
{
	char buffer[CONNECTION_REQUEST_BYTES];
	struct nlmsghdr *request = connection_request_delete(buffer, message);

	return request ? netlink_query(connections->socket, request, NULL, NULL) : -EINVAL;
}

void connections_bar(struct connections *connections, const struct connection *connection)
{
	const uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);

	if (connection->key.protocol == IPPROTO_TCP && !connection->picked_up &&
		connections->options.adoption_ns)
		revoked_add(&connections->revoked, &connection->key, now_ns,
			now_ns + connections->options.adoption_ns);
}

/* Let in by the policy before this one, on the way while that was swept. What cannot be cut now,
 * the next listing cuts. */
static void refuse_new(struct connections *connections, struct connection *connection,
	const struct nlmsghdr *message)
{
	int r = connections_delete(connections, message);

	if (r == -ENOENT && connections->options.reliable)
		/* It is over already, and its own end is to come. */
		(void)connections_add(connections, connection);
	else if (r < 0 && r != -ENOENT)
		connections->refused = true;
	else {
		connections_bar(connections, connection);
		connections_report(connections, connection, FLOW_END);
	}
}

void connections_meet_stranger(struct connections *connections, const struct connection_key *key)
{
	if (strangers_add(&connections->strangers, key) < 0)
		connections->complete = false;
}

static void take_new(struct connections *connections, const struct connection_entry *entry,
	const struct nlmsghdr *message)
{
	struct connection *connection = connections_find(connections, &entry->key), begun;

	if (connection) {
		connection->announced = true;
		return;
	}
	if (!connections_concern(connections, &entry->key)) {
		connections_meet_stranger(connections, &entry->key);
		return;
	}
	/* First: it is cut whether or not there is room to remember it. */
	begun = connections_begin(&entry->key);
	begun.announced = true;
	connection_update(&begun, entry, NULL);
	if (!connections_judge(connections, &begun)) {
		refuse_new(connections, &begun, message);
		return;
	}
	connection = connections_add(connections, &begun);
	if (connection)
		connections_report(connections, connection, FLOW_NEW);
}

/* What explains an end. Who deletes an entry does not wait until it is forgotten. */
static const struct timeouts *timeouts_of_end(const struct connections *connections, uint32_t port)
{
	static const struct timeouts none;

	return port ? &none : &connections->timeouts;
}

/* Of a connection whose beginning was not announced, unless an earlier agent heard of it, or we
 * have cut it ourselves. heard: it was, when no policy bound it. */
static void take_end_alone(struct connections *connections, const struct connection_entry *entry,
	uint32_t port, bool heard)
{
	struct connection connection;

	if (!connections->options.reliable || netlink_is_own(port) ||
		!connections_concern(connections, &entry->key))
		return;
	connection = connections_begin(&entry->key);
	connection_update(&connection, entry, timeouts_of_end(connections, port));
	if (connection.start_ns < connections->opened_ns)
		return;
	connections_judge(connections, &connection);
	connections_report(connections, &connection, FLOW_END);
	connections->unheard += !heard;
}

static void take_end(struct connections *connections, const struct connection_entry *entry,
	const struct nlmsghdr *message)
{
	const uint32_t port = message->nlmsg_pid;
	struct connection *connection = connections_find(connections, &entry->key);
	bool stranger = strangers_remove(&connections->strangers, &entry->key);

	if (!connection) {
		take_end_alone(connections, entry, port, stranger);
		return;
	}
	connection_update(connection, entry, timeouts_of_end(connections, port));
	connections_report(connections, connection, FLOW_END);
	if (port && !netlink_is_own(port))
		connections_put_back(connections, connection, message);
	connections_drop(connections, connection);
}

static void take(struct connections *connections, const struct arrival *arrival)
{
	const struct nlmsghdr *message = arrival->message;

	if (connections->fetched)
		connections_report_before(connections);
	connections->fetched = false;
	if ((message->nlmsg_type & 0xff) == IPCTNL_MSG_CT_DELETE)
		take_end(connections, &arrival->entry, message);
	else
		take_new(connections, &arrival->entry, message);
}

/* Meanwhile where connections are to be found has come from memory. */
static void take_arrivals(struct connections *connections)
{
	for (size_t i = 0; connections->items && i < connections->arrived; i++)
		hash_fetch_first(connections->items->hh.tbl, connections->arrivals[i].hash);
	for (size_t i = 0; i < connections->arrived; i++)
		take(connections, &connections->arrivals[i]);
	connections->arrived = 0;
}

static int read_event(const struct nlmsghdr *message, void *userdata)
{
	struct connections *connections = userdata;
	struct arrival *arrival;

	if (connections->arrived == ARRAY_SIZE(connections->arrivals))
		take_arrivals(connections);
	arrival = &connections->arrivals[connections->arrived];
	if (connection_entry_read(message, &arrival->entry) < 0)
		return MNL_CB_OK;
	arrival->message = message;
	arrival->hash = hash_bytes(&arrival->entry.key, sizeof(arrival->entry.key));
	if (connections->items)
		hash_fetch_bucket(connections->items->hh.tbl, arrival->hash);
	connections->arrived++;
	return MNL_CB_OK;
}

/* As inbox_receive(), but 1 only if nothing is left, and -EAGAIN never. Where the kernel does not
 * keep what was not read, fewer than there is room for may be all before a word that some were
 * dropped. */
static int receive(struct connections *connections)
{
	int r = inbox_receive(connections->inbox, connections->events, read_event, connections);

	take_arrivals(connections);
	if (r == 1 && !connections->options.reliable)
		return 0;
	return r == -EAGAIN ? 1 : r;
}

/* 1: nothing is left to read. */
static int read_events(struct connections *connections)
{
	int r = 0;

	connections->reading = true;
	connections->reads = 0;
	while (!r && connections->reads < READS_PER_WAKE) {
		uint64_t asked_ns = clock_ns(CLOCK_REALTIME);

		connections->reads++;
		connections->fetched = true;
		r = receive(connections);
		if (r == -ENOBUFS) {
			/* What is there now is listed, and cut where policy refuses it. */
			connections_report_drops(connections);
			r = connections_revoke(connections, NULL, NULL);
			if (!r)
				r = connections_collect(connections, NULL);
		} else if (r == 1) {
			connections->drained_ns = asked_ns;
		}
	}
	connections->reading = false;
	if (connections->options.reliable)
		connections_report_drops(connections);
	return r;
}

void connections_read(struct connections *connections)
{
	if (connections->reading)
		return;
	/* All of it: in a storm more than one wake's share waits. */
	for (unsigned int i = 0; i < READS_MAX && !read_events(connections); i++)
		;
}

bool connections_catch_up(struct connections *connections)
{
	return !connections->reading && read_events(connections) == 1 &&
	       netlink_drops(connections->events) == connections->drops;
}

static int on_event(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct connections *connections = userdata;

	(void)fd;
	(void)events;
	(void)read_events(connections);
	rest_after(&connections->rest, source, connections->reads, READS_PER_WAKE);
	return 0;
}

int connections_open(const struct dataplane_callbacks *callbacks,
	const struct connections_options *options, sd_event *event, struct connections **ret,
	struct error *error)
{
	static const int groups[] = {NFNLGRP_CONNTRACK_NEW, NFNLGRP_CONNTRACK_DESTROY, 0};
	_cleanup_(connections_freep) struct connections *connections =
		calloc(1, sizeof(*connections));
	int r;

	if (!connections)
		return error_nomem(error);
	connections->callbacks = callbacks;
	connections->options = *options;
	connections->opened_ns = clock_ns(CLOCK_REALTIME);
	timeouts_read(&connections->timeouts);
	connections->inbox = inbox_new();
	if (!connections->inbox)
		return error_nomem(error);
	r = netlink_open(&connections->socket, error);
	if (!r)
		r = netlink_open_events(groups, &connections->events, error);
	if (!r && options->reliable)
		r = netlink_keep_events(connections->events, error);
	if (r < 0)
		return r;
	r = sd_event_add_io(event, &connections->source, mnl_socket_get_fd(connections->events),
		EPOLLIN, on_event, connections);
	if (r >= 0)
		r = rest_begin(&connections->rest, connections->source);
	if (r < 0)
		return error_errno(error, r, "watch conntrack events");
	*ret = TAKE_PTR(connections);
	return 0;
}

void connections_free(struct connections *connections)
{
	struct connection *connection, *next;

	if (!connections)
		return;
	sd_event_source_disable_unref(connections->source);
	HASH_ITER (hh, connections->items, connection, next)
		connections_drop(connections, connection);
	strangers_clear(&connections->strangers);
	revoked_clear(&connections->revoked);
	netlink_closep(&connections->events);
	netlink_closep(&connections->socket);
	inbox_free(connections->inbox);
	free(connections);
}

void connections_set_ir(struct connections *connections, const struct ir *ir)
{
	connections->ir = ir;
	connections->policies++;
}

size_t connections_count(const struct connections *connections)
{
	return HASH_COUNT(connections->items);
}

uint64_t connections_lost(const struct connections *connections)
{
	return connections->lost;
}

const struct connection *connections_first(const struct connections *connections)
{
	return connections->items;
}
