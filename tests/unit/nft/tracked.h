/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections of an agent without traffic: entries come to conntrack by hand, in a network
 * namespace of its own. The fixture's policy is in force.
 */
#pragma once

#include "dataplane/nft/connections_private.h"

#include "fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <netinet/in.h>
#include <sched.h>
#include <unistd.h>

#define TRACKED_EVENTS_MAX 64
#define TRACKED_WEB        "10.77.0.2" /* who may reach nothing of db */
#define TRACKED_API        "10.77.0.3" /* who may reach db at 5432 */
#define TRACKED_DB         "10.77.0.4"

struct tracked {
	struct model *model;
	struct ir *ir;
	struct ir *closed; /* no more of api */
	struct ir *none;   /* binds nobody */
	struct flow_event events[TRACKED_EVENTS_MAX];
	size_t count;
	struct dataplane_callbacks callbacks;
	sd_event *loop;
	struct connections *connections;
};

static inline void tracked_take(const struct flow_event *event, void *userdata)
{
	struct tracked *tracked = userdata;

	assert_true(tracked->count < TRACKED_EVENTS_MAX);
	tracked->events[tracked->count++] = *event;
}

static inline int tracked_set_up(void **state)
{
	struct tracked *tracked = calloc(1, sizeof(*tracked));
	const struct connections_options options = {.reliable = true};
	struct error error = ERROR_INIT;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	tracked->model = fixture_model(0);
	tracked->ir = fixture_ir(tracked->model, FIXTURE_POLICY);
	tracked->closed = fixture_ir(tracked->model, FIXTURE_POLICY_CLOSED);
	tracked->none = fixture_ir(tracked->model, "");
	for (size_t i = 0; i < tracked->none->subjects_count; i++)
		tracked->none->subjects[i] =
			(struct ir_subject){{IR_PEER_TABLE_NONE, IR_PEER_TABLE_NONE}};
	tracked->callbacks =
		(struct dataplane_callbacks){.flow = tracked_take, .userdata = tracked};
	assert_int_equal(sd_event_new(&tracked->loop), 0);
	if (connections_open(&tracked->callbacks, &options, tracked->loop, &tracked->connections,
		    &error) < 0)
		fail_msg("%s", error_message(&error));
	connections_set_ir(tracked->connections, tracked->ir);
	assert_int_equal(connections_collect(tracked->connections, &error), 0);
	*state = tracked;
	return 0;
}

static inline int tracked_tear_down(void **state)
{
	struct tracked *tracked = *state;

	connections_free(tracked->connections);
	sd_event_unref(tracked->loop);
	ir_free(tracked->ir);
	ir_free(tracked->closed);
	ir_free(tracked->none);
	model_free(tracked->model);
	free(tracked);
	return 0;
}

/* To port 5432. As entered here, it is one that conntrack has seen no SYN of. */
static inline void tracked_begin(const char *source, const char *destination)
{
	char command[400];

	snprintf(command, sizeof(command),
		"conntrack -I -p tcp -s %s -d %s --sport 4000 --dport 5432 -t 60 "
		"--state ESTABLISHED -u SEEN_REPLY 2>&1",
		source, destination);
	assert_int_equal(fixture_run(command), 0);
}

/* TCP in a state, with what both ends are said to have agreed on (IP_CT_TCP_FLAG_*). */
static inline void tracked_enter(const char *source, uint16_t source_port, const char *destination,
	uint16_t port, uint8_t tcp_state, uint8_t flags)
{
	struct nfct_handle *handle = nfct_open(CONNTRACK, 0);
	struct nf_conntrack *ct = nfct_new();

	assert_non_null(handle);
	assert_non_null(ct);
	nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
	nfct_set_attr_u32(ct, ATTR_IPV4_SRC, inet_addr(source));
	nfct_set_attr_u32(ct, ATTR_IPV4_DST, inet_addr(destination));
	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_TCP);
	nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons(source_port));
	nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(port));
	nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
	nfct_set_attr_u32(ct, ATTR_TIMEOUT, 60);
	nfct_set_attr_u8(ct, ATTR_TCP_STATE, tcp_state);
	nfct_set_attr_u8(ct, ATTR_TCP_FLAGS_ORIG, flags);
	nfct_set_attr_u8(ct, ATTR_TCP_MASK_ORIG, flags);
	nfct_set_attr_u8(ct, ATTR_TCP_FLAGS_REPL, flags);
	nfct_set_attr_u8(ct, ATTR_TCP_MASK_REPL, flags);
	assert_int_equal(nfct_query(handle, NFCT_Q_CREATE, ct), 0);
	nfct_destroy(ct);
	nfct_close(handle);
}

/* As conntrack enters one of which it sees no SYN: the first that sends asks. */
static inline void tracked_pick_up(
	const char *source, uint16_t source_port, const char *destination, uint16_t port)
{
	tracked_enter(source, source_port, destination, port, TCP_CONNTRACK_ESTABLISHED,
		IP_CT_TCP_FLAG_SACK_PERM | IP_CT_TCP_FLAG_BE_LIBERAL);
}

/* Announcements beyond one or two are dropped until they are read. */
static inline void tracked_deafen(const struct tracked *tracked)
{
	const int none = 0;

	assert_int_equal(setsockopt(mnl_socket_get_fd(tracked->connections->events), SOL_SOCKET,
				 SO_RCVBUFFORCE, &none, sizeof(none)),
		0);
}

/* UDP to db at 5005, that nobody has answered. */
static inline void tracked_ask(const char *source)
{
	char command[400];

	snprintf(command, sizeof(command),
		"conntrack -I -p udp -s %s -d " TRACKED_DB " --sport 4000 --dport 5005 -t 60 2>&1",
		source);
	assert_int_equal(fixture_run(command), 0);
}

static inline bool tracked_is_there(const char *source)
{
	char command[200];

	snprintf(command, sizeof(command), "conntrack -L -s %s 2>/dev/null | grep -q .", source);
	return !system(command);
}

static inline void tracked_end(const char *source)
{
	char command[200];

	snprintf(command, sizeof(command), "conntrack -D -s %s 2>&1", source);
	assert_int_equal(fixture_run(command), 0);
}

/* Nothing can be asked of the kernel until the number that comes back is given to
 * tracked_answer(). */
static inline int tracked_silence(const struct tracked *tracked)
{
	int descriptor = mnl_socket_get_fd(tracked->connections->socket), kept = dup(descriptor);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_true(kept >= 0 && null >= 0);
	assert_int_equal(dup2(null, descriptor), descriptor);
	close(null);
	return kept;
}

static inline void tracked_answer(const struct tracked *tracked, int kept)
{
	int descriptor = mnl_socket_get_fd(tracked->connections->socket);

	assert_int_equal(dup2(kept, descriptor), descriptor);
	close(kept);
}

static inline unsigned int tracked_count(const struct tracked *tracked, enum flow_event_type type)
{
	unsigned int count = 0;

	for (size_t i = 0; i < tracked->count; i++)
		count += tracked->events[i].type == type;
	return count;
}

static inline const struct flow_event *tracked_last(const struct tracked *tracked)
{
	assert_true(tracked->count > 0);
	return &tracked->events[tracked->count - 1];
}
