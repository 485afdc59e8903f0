/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/connections.h"

#include "base/cleanup.h"
#include "dataplane/nft/clock.h"
#include "dataplane/nft/condemned.h"
#include "dataplane/nft/connection.h"
#include "dataplane/nft/netlink.h"
#include "dataplane/nft/orientation.h"
#include "dataplane/nft/ruleset.h"
#include "dataplane/nft/snapshot.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_compat.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>
#include <sys/epoll.h>

/* To be woken costs as much as to read an event, so those of some time are read together: up to
 * 200,000 a second, more than can be read. */
#define REST_USEC      10000
#define READS_PER_WAKE 2048

struct connections {
	const struct dataplane_callbacks *callbacks;
	struct connections_options options;
	struct mnl_socket *socket;
	struct mnl_socket *events;
	sd_event_source *source;
	struct nf_conntrack *parsed; /* where each message is taken apart */
	const struct ir *ir;
	struct connection *items;
	uint64_t round;
	uint64_t opened_ns; /* CLOCK_REALTIME */
	bool reading;       /* events are being read: a listing in between reads none */
	uint64_t places;    /* that were given away */
	uint64_t lost;
	uint32_t drops; /* of events' socket, as far as they were told */
};

DEFINE_CLEANUP(struct nf_conntrack *, nfct_destroy)

static void report(struct connections *connections, const struct connection *connection,
	enum flow_event_type type)
{
	struct flow_event event = connection_event(connection, type, clock_now_ns(CLOCK_REALTIME));

	connections->callbacks->flow(&event, connections->callbacks->userdata);
}

static void report_gap(struct connections *connections, uint64_t lost)
{
	const struct flow_event event = {
		.type = FLOW_GAP, .time_ns = clock_now_ns(CLOCK_REALTIME), .lost = lost};

	connections->lost += lost;
	connections->callbacks->flow(&event, connections->callbacks->userdata);
}

static void report_drops(struct connections *connections)
{
	uint32_t drops = netlink_drops(connections->events), lost = drops - connections->drops;

	connections->drops = drops;
	if (lost)
		report_gap(connections, lost);
}

static struct connection *find(
	const struct connections *connections, const struct connection_key *key)
{
	struct connection *connection;

	HASH_FIND(hh, connections->items, key, sizeof(*key), connection);
	return connection;
}

static void drop(struct connections *connections, struct connection *connection)
{
	HASH_DEL(connections->items, connection);
	free(connection);
}

static bool concerns_us(const struct connections *connections, const struct connection_key *key)
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
static struct evaluation judge_query(
	const struct connections *connections, const struct flow_query *query)
{
	const struct connections_options *options = &connections->options;
	const struct decision exempt = {VERDICT_ALLOW, 0, IR_RULE_DEFAULT};

	if (!options->exempt || !options->exempt(query, options->userdata))
		return evaluate(connections->ir, query);
	return (struct evaluation){
		VERDICT_ALLOW, DIRECTION_INGRESS, .egress = exempt, .ingress = exempt};
}

/* Puts the policy's word on a connection; false: it is refused. */
static bool judge(const struct connections *connections, struct connection *connection)
{
	struct flow_query query = connection_query(&connection->key);
	struct evaluation evaluation = judge_query(connections, &query);
	enum direction direction;

	snapshot_explain(connections->ir, &query, &evaluation, &direction, &connection->rule);
	connection->other_rule = other_rule(connections->ir, &query, &evaluation, direction);
	connection->direction = direction;
	if (evaluation.verdict == VERDICT_DENY) {
		connection->reason = REASON_REVOKED;
		return false;
	}
	connection->verdict = FLOW_ALLOWED;
	if (connection->reason != REASON_ADOPTED)
		connection->reason = REASON_POLICY_ALLOWED;
	if ((evaluation.egress.flags | evaluation.ingress.flags) & DECISION_AUDIT) {
		connection->verdict = FLOW_AUDITED;
		connection->reason = REASON_AUDITED;
	}
	return true;
}

static struct connection *add(struct connections *connections, const struct connection_key *key)
{
	struct connection *connection = NULL;
	uint64_t identity = identity_add(IDENTITY_START, key, sizeof(*key));

	if (HASH_COUNT(connections->items) < CONNECTIONS_MAX)
		connection = calloc(1, sizeof(*connection));
	if (!connection) {
		report_gap(connections, 1);
		return NULL;
	}
	connection->key = *key;
	connection->start_ns = clock_now_ns(CLOCK_REALTIME);
	connection->id = identity_add_number(identity, connection->start_ns);
	connection->round = connections->round;
	connection->place = ++connections->places;
	HASH_ADD(hh, connections->items, key, sizeof(connection->key), connection);
	return connection;
}

/* The entry in connections->parsed. */
static int delete_entry(struct connections *connections)
{
	char buffer[CONNECTION_REQUEST_BYTES];
	int r = netlink_query(connections->socket,
		connection_request_delete(buffer, connections->parsed), NULL, NULL);

	return r == -ENOENT ? 0 : r;
}

static void take_new(struct connections *connections, const struct connection_key *key)
{
	struct connection *connection = find(connections, key);

	if (connection || !concerns_us(connections, key))
		return;
	connection = add(connections, key);
	if (!connection)
		return;
	connection_update(connection, connections->parsed);
	if (connection_is_seeded(connections->parsed))
		connection->reason = REASON_ADOPTED;
	if (judge(connections, connection)) {
		report(connections, connection, FLOW_NEW);
		return;
	}
	/* Let in by the policy before this one, on the way while that was swept. */
	report(connections, connection, FLOW_END);
	(void)delete_entry(connections);
	drop(connections, connection);
}

static void take_end(struct connections *connections, const struct connection_key *key)
{
	struct connection *connection = find(connections, key);

	if (!connection)
		return;
	connection_update(connection, connections->parsed);
	report(connections, connection, FLOW_END);
	drop(connections, connection);
}

static int read_event(const struct nlmsghdr *message, void *userdata)
{
	struct connections *connections = userdata;
	struct connection_key key;

	nfct_destroy(connections->parsed);
	connections->parsed = nfct_new();
	if (!connections->parsed || connection_parse(message, connections->parsed) < 0)
		return MNL_CB_OK;
	key = connection_key(connections->parsed);
	if ((message->nlmsg_type & 0xff) == IPCTNL_MSG_CT_DELETE)
		take_end(connections, &key);
	else
		take_new(connections, &key);
	return MNL_CB_OK;
}

static int read_events(struct connections *connections)
{
	int r = 0;

	connections->reading = true;
	for (unsigned int i = 0; !r && i < READS_PER_WAKE; i++) {
		r = netlink_receive(connections->events, read_event, connections);
		if (r == -ENOBUFS) {
			/* What is there now is listed, and cut where policy refuses it. */
			report_drops(connections);
			r = connections_revoke(connections, NULL);
			if (!r)
				r = connections_collect(connections, NULL);
		}
	}
	connections->reading = false;
	return r;
}

void connections_read(struct connections *connections)
{
	if (!connections->reading)
		(void)read_events(connections);
}

static int on_event(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	(void)source;
	(void)fd;
	(void)events;
	(void)read_events(userdata);
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
	connections->opened_ns = clock_now_ns(CLOCK_REALTIME);
	connections->parsed = nfct_new();
	if (!connections->parsed)
		return error_nomem(error);
	r = netlink_open(&connections->socket, error);
	if (!r)
		r = netlink_open_events(groups, &connections->events, error);
	if (r < 0)
		return r;
	r = sd_event_add_io(event, &connections->source, mnl_socket_get_fd(connections->events),
		EPOLLIN, on_event, connections);
	if (r >= 0)
		r = sd_event_source_set_ratelimit(connections->source, REST_USEC, 1);
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
		drop(connections, connection);
	netlink_closep(&connections->events);
	netlink_closep(&connections->socket);
	if (connections->parsed)
		nfct_destroy(connections->parsed);
	free(connections);
}

void connections_set_ir(struct connections *connections, const struct ir *ir)
{
	connections->ir = ir;
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

struct revocation {
	struct connections *connections;
	struct condemned condemned;
};

static void revocation_clear(struct revocation *revocation)
{
	condemned_clear(&revocation->condemned);
}

static int read_for_revocation(const struct nlmsghdr *message, void *userdata)
{
	_cleanup_(nfct_destroyp) struct nf_conntrack *ct = nfct_new();
	struct revocation *revocation = userdata;
	struct connections *connections = revocation->connections;
	struct connection candidate = {0};

	if (!ct || connection_parse(message, ct) < 0)
		return MNL_CB_OK;
	candidate.key = connection_key(ct);
	if (!concerns_us(connections, &candidate.key) || judge(connections, &candidate))
		return MNL_CB_OK;
	if (condemned_add(&revocation->condemned, ct) < 0) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	TAKE_PTR(ct);
	return MNL_CB_OK;
}

static int cut(struct connections *connections, struct nf_conntrack *ct)
{
	struct connection_key key = connection_key(ct);
	struct connection *connection = find(connections, &key);
	char buffer[CONNECTION_REQUEST_BYTES];
	int r = netlink_query(
		connections->socket, connection_request_delete(buffer, ct), NULL, NULL);

	if (r < 0 && r != -ENOENT)
		return r;
	if (!connection)
		connection = add(connections, &key);
	if (!connection)
		return 0;
	connection_update(connection, ct);
	judge(connections, connection);
	report(connections, connection, FLOW_END);
	drop(connections, connection);
	return 0;
}

static void judge_again(struct connections *connections)
{
	struct connection *connection;

	for (connection = connections->items; connection; connection = connection->hh.next)
		judge(connections, connection);
}

int connections_revoke(struct connections *connections, struct error *error)
{
	_cleanup_(revocation_clear) struct revocation revocation = {.connections = connections};
	char buffer[CONNECTION_REQUEST_BYTES];
	int r = 0;

	if (!connections->ir)
		return 0;
	r = netlink_dump(connections->socket, connection_request_list(buffer), read_for_revocation,
		NULL, &revocation);
	for (size_t i = 0; !r && i < revocation.condemned.count; i++)
		r = cut(connections, revocation.condemned.items[i]);
	if (r < 0)
		return error_errno(error, r, "cut connections that policy refuses");
	judge_again(connections);
	return 0;
}

static int read_for_update(const struct nlmsghdr *message, void *userdata)
{
	_cleanup_(nfct_destroyp) struct nf_conntrack *ct = nfct_new();
	struct connections *connections = userdata;
	struct connection *connection;
	struct connection_key key;
	bool missed = false; /* its announcement is still to come, or was lost */

	if (!ct || connection_parse(message, ct) < 0)
		return MNL_CB_OK;
	key = connection_key(ct);
	connection = find(connections, &key);
	if (!connection && concerns_us(connections, &key)) {
		connection = add(connections, &key);
		if (connection && !judge(connections, connection)) {
			drop(connections, connection);
			connection = NULL;
		}
		missed = connection;
	}
	if (!connection)
		return MNL_CB_OK;
	connection->round = connections->round;
	connection_update(connection, ct);
	if (missed && connection->start_ns >= connections->opened_ns)
		report(connections, connection, FLOW_NEW);
	report(connections, connection, FLOW_UPDATE);
	return MNL_CB_OK;
}

static void end_missing(struct connections *connections)
{
	struct connection *connection, *next;

	HASH_ITER (hh, connections->items, connection, next) {
		if (connection->round == connections->round)
			continue;
		report(connections, connection, FLOW_END);
		drop(connections, connection);
	}
}

int connections_collect(struct connections *connections, struct error *error)
{
	char buffer[CONNECTION_REQUEST_BYTES];
	int r;

	/* A connection that two listings saw come and go must not begin again with its own event.
	 */
	connections_read(connections);
	report_drops(connections);
	connections->round++;
	r = netlink_dump(connections->socket, connection_request_list(buffer), read_for_update,
		NULL, connections);
	if (r < 0)
		return error_errno(error, r, "list connections");
	end_missing(connections);
	return 0;
}

static bool choose_orientation(const struct connections *connections,
	const struct nflog_packet *packet, struct flow_query *ret, uint16_t *ret_source_port)
{
	const struct flow_query queries[] = {
		{packet->source, packet->destination, IPPROTO_TCP, packet->destination_port},
		{packet->destination, packet->source, IPPROTO_TCP, packet->source_port},
	};
	const struct evaluation evaluations[] = {
		judge_query(connections, &queries[0]), judge_query(connections, &queries[1])};
	int chosen =
		orientation_choose(queries, evaluations, connections->options.lower_port_serves);

	if (chosen < 0)
		return false;
	*ret = queries[chosen];
	*ret_source_port = queries[!chosen].port;
	return true;
}

bool connections_adopt(struct connections *connections, const struct nflog_packet *packet)
{
	char buffer[CONNECTION_REQUEST_BYTES];
	struct flow_query query;
	struct nlmsghdr *message;
	uint16_t source_port;

	if (!connections->ir || packet->protocol != IPPROTO_TCP || !packet->has_transport)
		return false;
	if (!choose_orientation(connections, packet, &query, &source_port))
		return false;
	message = connection_request_seed(buffer, &query, source_port);
	/* Where it fails (there already, no memory) the packet comes again and is tried again. */
	if (message)
		(void)netlink_query(connections->socket, message, NULL, NULL);
	return true;
}
