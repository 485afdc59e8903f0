/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A node of its own for tests of the real thing: a network namespace with a bridge, a bpffs, and
 * two workloads web and db on veths, each in its namespace, with IPv4 and IPv6. Gone with the test.
 */
#pragma once

#include "base/cleanup.h"
#include "base/clock.h"
#include "dataplane/bpf/plane.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>

enum {
	WEB,
	DB,
	WORKLOADS
};
enum {
	CLASS_WORLD,
	CLASS_HOST,
	CLASS_WEB,
	CLASS_DB,
	CLASSES
};

#define OPEN_PORT   5432
#define CLOSED_PORT 5433

/* Ids of the rules in the IR below. */
#define RULE_DEFAULT  0xd0
#define RULE_WEB_DB   0xa1
#define RULE_ISOLATES 0xa2

#define FLOWS_MAX 4096

struct world {
	char directory[PATH_MAX]; /* for pins */
	int node;                 /* network namespaces */
	int spaces[WORKLOADS];
	pid_t keepers[WORKLOADS];
	struct attachment attachments[WORKLOADS];
	struct address addresses[WORKLOADS][2]; /* IPv4, IPv6 */
	sd_event *event;
	struct flow_event flows[FLOWS_MAX];
	size_t flows_count;
	unsigned int troubles, repairs;
};

static inline void run(const char *format, ...)
{
	char command[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

/* A process that does nothing but hold a network namespace, and ends with the test. */
static inline pid_t keeper(void)
{
	int ready[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static inline int open_space(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static inline void read_mac(struct world *world, unsigned int workload)
{
	struct ifreq request = {.ifr_name = "eth0"};
	int fd;

	assert_int_equal(setns(world->spaces[workload], CLONE_NEWNET), 0);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(ioctl(fd, SIOCGIFHWADDR, &request), 0);
	close(fd);
	assert_int_equal(setns(world->node, CLONE_NEWNET), 0);
	memcpy(world->attachments[workload].mac, request.ifr_hwaddr.sa_data, 6);
}

static inline void add_workload(struct world *world, unsigned int workload)
{
	struct attachment *attachment = &world->attachments[workload];
	char text[ADDRESS_TEXT_MAX];
	pid_t pid = keeper();

	world->keepers[workload] = pid;
	world->spaces[workload] = open_space(pid);
	snprintf(attachment->name, sizeof(attachment->name), "veth%u", workload);
	run("ip link add %s type veth peer name eth0 netns %d", attachment->name, pid);
	run("ip link set %s master br0 up", attachment->name);
	run("nsenter -t %d -n ip link set lo up", pid);
	run("nsenter -t %d -n ip link set eth0 up", pid);
	for (unsigned int family = 0; family < 2; family++) {
		snprintf(text, sizeof(text), family ? "2001:db8::%u" : "10.9.0.%u", workload + 10);
		run("nsenter -t %d -n ip address add %s/%u dev eth0 %s", pid, text,
			family ? 64 : 24, family ? "nodad" : "");
		assert_int_equal(address_parse(text, &world->addresses[workload][family]), 0);
	}
	attachment->ifindex = if_nametoindex(attachment->name);
	attachment->addresses = world->addresses[workload];
	attachment->addresses_count = 2;
	attachment->workload = workload;
	read_mac(world, workload);
}

/* NULL where it cannot be made: the test is then skipped, and says why. */
static inline struct world *world_new(void)
{
	struct world *world;

	if (geteuid() != 0) {
		print_message("skipped: needs root\n");
		return NULL;
	}
	world = calloc(1, sizeof(*world));
	assert_non_null(world);
	assert_int_equal(unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("tmpfs", "/mnt", "tmpfs", 0, NULL), 0);
	snprintf(world->directory, sizeof(world->directory), "/mnt/bpf/segd");
	world->node = open_space(getpid());
	run("ip link set lo up");
	run("ip link add br0 type bridge mcast_snooping 0");
	run("ip link set br0 up");
	for (unsigned int i = 0; i < WORKLOADS; i++)
		add_workload(world, i);
	assert_true(sd_event_new(&world->event) >= 0);
	return world;
}

static inline void world_free(struct world *world)
{
	for (unsigned int i = 0; i < WORKLOADS; i++) {
		kill(world->keepers[i], SIGKILL);
		waitpid(world->keepers[i], NULL, 0);
		close(world->spaces[i]);
	}
	sd_event_unref(world->event);
	close(world->node);
	umount2(world->directory, MNT_DETACH);
	umount2("/mnt", MNT_DETACH);
	free(world);
}

/* --- the data plane under test ------------------------------------------------------------- */

static inline void on_flow(const struct flow_event *event, void *userdata)
{
	struct world *world = userdata;

	assert_true(world->flows_count < FLOWS_MAX);
	world->flows[world->flows_count++] = *event;
}

static inline void on_trouble(const char *message, bool repaired, void *userdata)
{
	struct world *world = userdata;

	print_message("trouble: %s\n", message);
	world->troubles++;
	world->repairs += repaired;
}

static inline int plane_try_open(struct world *world, struct dataplane **ret, struct error *error)
{
	const struct dataplane_options options = {
		.pin_directory = world->directory,
		.adoption_ns = 10 * NS_PER_SECOND,
	};
	const struct dataplane_callbacks callbacks = {
		.flow = on_flow,
		.trouble = on_trouble,
		.userdata = world,
	};

	return bpf_dataplane_ops.open(&options, &callbacks, world->event, ret, error);
}

static inline struct dataplane *plane_open(struct world *world)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct dataplane *plane = NULL;

	if (plane_try_open(world, &plane, &error) < 0)
		fail_msg("open: %s", error_message(&error));
	return plane;
}

static inline int plane_try_apply(struct world *world, struct dataplane *plane, const struct ir *ir,
	size_t attachments, struct error *error)
{
	const struct dataplane_state state = {
		.ir = ir,
		.attachments = world->attachments,
		.attachments_count = attachments,
	};

	return bpf_dataplane_ops.apply(plane, &state, error);
}

static inline void plane_apply(struct world *world, struct dataplane *plane, const struct ir *ir)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	if (plane_try_apply(world, plane, ir, WORKLOADS, &error) < 0)
		fail_msg("apply: %s", error_message(&error));
}

/* Lets the event loop work until done says so. False: it did not within five seconds. */
static inline bool wait_until(struct world *world, bool (*done)(struct world *world))
{
	uint64_t end_ns = clock_ns(CLOCK_MONOTONIC) + 5 * NS_PER_SECOND;

	while (!done(world)) {
		if (clock_ns(CLOCK_MONOTONIC) > end_ns)
			return false;
		sd_event_run(world->event, 50000);
	}
	return true;
}

/* --- traffic ------------------------------------------------------------------------------- */

union endpoint_address {
	struct sockaddr any;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
};

static inline socklen_t fill_address(union endpoint_address *address, const struct world *world,
	unsigned int to, bool ipv6, uint16_t port)
{
	const uint8_t *bytes = world->addresses[to][ipv6].bytes;

	memset(address, 0, sizeof(*address));
	if (ipv6) {
		address->in6.sin6_family = AF_INET6;
		address->in6.sin6_port = htons(port);
		memcpy(&address->in6.sin6_addr, bytes, 16);
		return sizeof(address->in6);
	}
	address->in4.sin_family = AF_INET;
	address->in4.sin_port = htons(port);
	memcpy(&address->in4.sin_addr, bytes + 12, 4);
	return sizeof(address->in4);
}

static inline int socket_in(struct world *world, unsigned int workload, bool ipv6, int type)
{
	int fd;

	assert_int_equal(setns(world->spaces[workload], CLONE_NEWNET), 0);
	fd = socket(ipv6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(setns(world->node, CLONE_NEWNET), 0);
	assert_true(fd >= 0);
	return fd;
}

static inline int listen_at(struct world *world, unsigned int workload, bool ipv6, uint16_t port)
{
	int fd = socket_in(world, workload, ipv6, SOCK_STREAM);
	union endpoint_address address;
	socklen_t size = fill_address(&address, world, workload, ipv6, port);
	int one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(fd, &address.any, size), 0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

static inline bool ready(int fd, short events, int milliseconds)
{
	struct pollfd poller = {.fd = fd, .events = events};

	return poll(&poller, 1, milliseconds) == 1 && !(poller.revents & (POLLERR | POLLHUP));
}

struct connection {
	int listener, client, server; /* -1: none */
};

/* Half a second is long on one machine, and shorter than the SYN's first repetition. Where an
 * answer is expected there is time for repetitions, for a busy machine and for neighbours that were
 * asked in vain before. */
#define PATIENCE_MS 500
#define HOPE_MS     4000

static inline struct connection try_connect(struct world *world, unsigned int from, unsigned int to,
	bool ipv6, uint16_t port, int milliseconds)
{
	struct connection connection = {.listener = listen_at(world, to, ipv6, port)};
	union endpoint_address address;
	socklen_t size = fill_address(&address, world, to, ipv6, port);

	connection.client = socket_in(world, from, ipv6, SOCK_STREAM);
	connection.server = -1;
	if (connect(connection.client, &address.any, size) < 0)
		assert_int_equal(errno, EINPROGRESS);
	if (ready(connection.client, POLLOUT, milliseconds)) {
		assert_true(ready(connection.listener, POLLIN, HOPE_MS));
		connection.server = accept4(connection.listener, NULL, NULL, SOCK_NONBLOCK);
		assert_true(connection.server >= 0);
	}
	return connection;
}

static inline bool is_connected(const struct connection *connection)
{
	return connection->server >= 0;
}

static inline void connection_close(struct connection *connection)
{
	closep(&connection->client);
	closep(&connection->server);
	closep(&connection->listener);
}

static inline struct connection connect_to(
	struct world *world, unsigned int from, unsigned int to, bool ipv6, uint16_t port)
{
	return try_connect(world, from, to, ipv6, port, HOPE_MS);
}

static inline bool connects_within(struct world *world, unsigned int from, unsigned int to,
	bool ipv6, uint16_t port, int milliseconds)
{
	__attribute__((cleanup(connection_close))) struct connection connection =
		try_connect(world, from, to, ipv6, port, milliseconds);

	return is_connected(&connection);
}

static inline bool can_connect(
	struct world *world, unsigned int from, unsigned int to, bool ipv6, uint16_t port)
{
	return connects_within(world, from, to, ipv6, port, HOPE_MS);
}

static inline bool cannot_connect(
	struct world *world, unsigned int from, unsigned int to, bool ipv6, uint16_t port)
{
	return !connects_within(world, from, to, ipv6, port, PATIENCE_MS);
}

/* Links come up in their own time. */
static inline void world_settle(struct world *world)
{
	for (unsigned int ipv6 = 0; ipv6 < 2; ipv6++)
		assert_true(can_connect(world, WEB, DB, ipv6, 9));
}

static inline int world_setup(void **state)
{
	bpf_dataplane_overrides = (struct bpf_dataplane_overrides){0};
	*state = world_new();
	if (*state)
		world_settle(*state);
	return 0;
}

/* A test that failed may still hold the lock of its pin directory, but that is gone with it. */
static inline int world_teardown(void **state)
{
	if (*state)
		world_free(*state);
	return 0;
}

/* A byte each way. */
static inline bool can_talk(const struct connection *connection)
{
	char byte = 'x';

	if (send(connection->client, &byte, 1, MSG_NOSIGNAL) != 1 ||
		!ready(connection->server, POLLIN, PATIENCE_MS) ||
		recv(connection->server, &byte, 1, 0) != 1)
		return false;
	return send(connection->server, &byte, 1, MSG_NOSIGNAL) == 1 &&
	       ready(connection->client, POLLIN, PATIENCE_MS) &&
	       recv(connection->client, &byte, 1, 0) == 1;
}

/* --- a small IR: only web may reach db, at OPEN_PORT; all else is as default says ----------- */

struct small_ir {
	struct ir ir;
	struct ir_rule rules[5];
	struct ir_port_table port_tables[3];
	struct ir_port_range range;
	struct ir_peer_table peer_tables[2 * DIRECTION_COUNT];
	struct ir_peer db_peers[2];
	struct ir_address addresses[WORKLOADS * 2 + 1];
	struct ir_prefix prefixes[2];
	struct ir_subject subjects[WORKLOADS];
};

enum {
	PORTS_ALL,
	PORTS_NONE,
	PORTS_OPEN
};

static int compare_addresses(const void *a, const void *b)
{
	const struct ir_address *first = a, *second = b;

	return address_compare(&first->address, &second->address);
}

static inline void small_ir_addresses(struct small_ir *small, const struct world *world)
{
	size_t count = 0;

	for (unsigned int workload = 0; workload < WORKLOADS; workload++)
		for (unsigned int family = 0; family < 2; family++)
			small->addresses[count++] = (struct ir_address){
				world->addresses[workload][family], workload, CLASS_WEB + workload};
	assert_int_equal(address_parse("10.9.0.1", &small->addresses[count].address), 0);
	small->addresses[count].workload = -1;
	small->addresses[count++].class = CLASS_HOST;
	qsort(small->addresses, count, sizeof(small->addresses[0]), compare_addresses);
	assert_int_equal(prefix_parse("0.0.0.0/0", &small->prefixes[0].prefix), 0);
	assert_int_equal(prefix_parse("::/0", &small->prefixes[1].prefix), 0);
	small->ir.addresses = small->addresses;
	small->ir.addresses_count = count;
	small->ir.prefixes = small->prefixes;
	small->ir.prefixes_count = 2;
}

/* isolated: db takes web at OPEN_PORT only; else everything is allowed. */
static inline void small_ir_init(struct small_ir *small, const struct world *world, bool isolated)
{
	const uint32_t ids[] = {RULE_DEFAULT, 0xd1, 0xd2, RULE_WEB_DB, RULE_ISOLATES};
	enum {
		DEFAULT = 0,
		WEB_DB = 3,
		ISOLATES = 4
	};

	*small = (struct small_ir){0};
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		small->rules[i].id = ids[i];
	small->range = (struct ir_port_range){
		IPPROTO_TCP, OPEN_PORT, OPEN_PORT, {.verdict = VERDICT_ALLOW, .rule = WEB_DB}};
	small->port_tables[PORTS_ALL].otherwise =
		(struct decision){.verdict = VERDICT_ALLOW, .rule = DEFAULT};
	small->port_tables[PORTS_NONE].otherwise =
		(struct decision){.verdict = VERDICT_DENY, .rule = ISOLATES};
	small->port_tables[PORTS_OPEN] = (struct ir_port_table){
		&small->range, 1, {.verdict = VERDICT_DENY, .rule = ISOLATES}};
	small->db_peers[0] = (struct ir_peer){CLASS_HOST, PORTS_ALL};
	small->db_peers[1] = (struct ir_peer){CLASS_WEB, PORTS_OPEN};
	for (unsigned int workload = 0; workload < WORKLOADS; workload++) {
		for (unsigned int direction = 0; direction < DIRECTION_COUNT; direction++) {
			unsigned int table = workload * DIRECTION_COUNT + direction;

			small->subjects[workload].peer_table[direction] = table;
			small->peer_tables[table].direction = (enum direction)direction;
			small->peer_tables[table].otherwise = PORTS_ALL;
		}
	}
	if (isolated) {
		struct ir_peer_table *table =
			&small->peer_tables[DB * DIRECTION_COUNT + DIRECTION_INGRESS];

		table->peers = small->db_peers;
		table->peers_count = 2;
		table->otherwise = PORTS_NONE;
	}
	small_ir_addresses(small, world);
	small->ir.rules = small->rules;
	small->ir.rules_count = ARRAY_SIZE(small->rules);
	small->ir.port_tables = small->port_tables;
	small->ir.port_tables_count = ARRAY_SIZE(small->port_tables);
	small->ir.peer_tables = small->peer_tables;
	small->ir.peer_tables_count = ARRAY_SIZE(small->peer_tables);
	small->ir.subjects = small->subjects;
	small->ir.subjects_count = WORKLOADS;
	small->ir.classes_count = CLASSES;
}
