/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real traffic for tests: the calling process moves into a network namespace of its own, the node,
 * with a bridge; each workload of fixture.h gets a namespace on that bridge, and "world" is routed.
 * Every workload runs one server that echoes what it gets.
 */
#pragma once

#include "fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define VILLAGE_WORLD     "192.0.2.10"
#define VILLAGE_FORBIDDEN "192.0.2.70"
#define VILLAGE_PORTS     5
/* What is silence, and how long an answer may take on a busy machine: not so long that somebody
 * asks again. */
#define VILLAGE_SILENCE_MS 400
#define VILLAGE_HOPE_MS    900

static const uint16_t village_tcp_ports[VILLAGE_PORTS] = {5432, 8080, 443, 80, 9000};
static const uint16_t village_udp_ports[VILLAGE_PORTS] = {5005, 6005, 53, 5010, 5011};
static pid_t village_servers[8];
static size_t village_servers_count;

static inline void village_name(char *name, size_t size, const char *workload)
{
	snprintf(name, size, "nft-%d-%s", getpid(), workload);
}

/* A shell script with $W (namespace of the workload), $I (its number) and $A (of its address). */
static inline void village_command(const char *workload, unsigned int number, const char *command)
{
	char script[1400];

	snprintf(script, sizeof(script), "exec 2>&1; set -e; W=nft-%d-%s; I=%u; A=%u; %s", getpid(),
		workload, number, number + 2, command);
	assert_int_equal(fixture_run(script), 0);
}

static inline void village_enter(const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		_exit(99);
	close(fd);
}

static inline int village_listen(int type, uint16_t port)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int fd = socket(AF_INET6, type, 0), off = 0, on = 1;

	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (void *)&address, sizeof(address)) < 0 ||
		(type == SOCK_STREAM && listen(fd, 64) < 0))
		_exit(98);
	return fd;
}

static inline void village_echo(int fd)
{
	struct sockaddr_storage peer;
	socklen_t length = sizeof(peer);
	char buffer[2048];
	ssize_t size = recvfrom(fd, buffer, sizeof(buffer), 0, (void *)&peer, &length);

	if (size > 0)
		(void)!sendto(fd, buffer, (size_t)size, 0, length ? (void *)&peer : NULL, length);
	else
		close(fd);
}

static inline void village_serve(int ready)
{
	struct pollfd fds[2 * VILLAGE_PORTS + 64];
	nfds_t count = 0;

	for (size_t i = 0; i < VILLAGE_PORTS; i++)
		fds[count++] = (struct pollfd){
			.fd = village_listen(SOCK_STREAM, village_tcp_ports[i]), .events = POLLIN};
	for (size_t i = 0; i < VILLAGE_PORTS; i++)
		fds[count++] = (struct pollfd){
			.fd = village_listen(SOCK_DGRAM, village_udp_ports[i]), .events = POLLIN};
	(void)!write(ready, "", 1);
	while (poll(fds, count, -1) >= 0) {
		for (nfds_t i = 0; i < count; i++) {
			if (!fds[i].revents)
				continue;
			if (i >= VILLAGE_PORTS) {
				village_echo(fds[i].fd);
			} else if (count < 2 * VILLAGE_PORTS + 64) {
				fds[count++] = (struct pollfd){
					.fd = accept(fds[i].fd, NULL, NULL), .events = POLLIN};
			}
		}
		/* Closed ones have no events any more. */
		for (nfds_t i = 2 * VILLAGE_PORTS; i < count; i++)
			if (fcntl(fds[i].fd, F_GETFD) < 0)
				fds[i--] = fds[--count];
	}
}

static inline void village_start_server(const char *workload)
{
	char name[64];
	int ready[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe(ready), 0);
	village_name(name, sizeof(name), workload);
	child = fork();
	if (!child) {
		village_enter(name);
		village_serve(ready[1]);
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	village_servers[village_servers_count++] = child;
}

static inline void village_build(void)
{
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	assert_int_equal(
		fixture_run(
			"set -e; exec 2>&1; ip link set lo up; ip link add br0 type bridge; "
			"ip addr add 10.77.0.1/24 dev br0; ip addr add fd77::1/64 dev br0 nodad; "
			"ip link set br0 up; echo 1 >/proc/sys/net/ipv4/ip_forward; "
			"echo 1 >/proc/sys/net/ipv6/conf/all/forwarding; "
			"for f in /proc/sys/net/bridge/bridge-nf-call-ip*; do echo 0 >$f; done"),
		0);
	for (unsigned int i = 0; i < 4; i++) {
		village_command(fixture_workloads[i].name, i,
			"ip netns add $W; ip link add v$I type veth peer name eth0 netns $W; "
			"ip link set v$I master br0 up; "
			"ip -n $W link set eth0 address 02:77:00:00:00:0$A; "
			"ip -n $W link set lo up; ip -n $W link set eth0 up; "
			"ip -n $W addr add 10.77.0.$A/24 dev eth0; "
			"ip -n $W addr add fd77::$A/64 dev eth0 nodad; "
			"ip -n $W route add default via 10.77.0.1");
		village_start_server(fixture_workloads[i].name);
	}
	village_command("world", 0,
		"ip netns add $W; ip link add w0 type veth peer name eth0 netns $W; "
		"ip addr add 192.0.2.1/24 dev w0; ip link set w0 up; "
		"ip -n $W link set lo up; ip -n $W link set eth0 up; "
		"ip -n $W addr add 192.0.2.10/24 dev eth0; "
		"ip -n $W addr add 192.0.2.70/24 dev eth0; "
		"ip -n $W route add default via 192.0.2.1");
	village_start_server("world");
}

static inline void village_tear_down(void)
{
	for (size_t i = 0; i < village_servers_count; i++) {
		kill(village_servers[i], SIGKILL);
		waitpid(village_servers[i], NULL, 0);
	}
	village_servers_count = 0;
	for (unsigned int i = 0; i < 4; i++)
		village_command(fixture_workloads[i].name, i, "ip netns del $W");
	village_command("world", 0, "ip netns del $W");
}

static inline int village_connect(int type, const char *ip, uint16_t port, int timeout_ms)
{
	struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	bool is_ipv4 = inet_pton(AF_INET, ip, &ipv4.sin_addr) == 1;
	int fd = socket(is_ipv4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK, 0), status = 0;
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	socklen_t length = sizeof(status);

	inet_pton(AF_INET6, ip, &ipv6.sin6_addr);
	if (is_ipv4 ? connect(fd, (void *)&ipv4, sizeof(ipv4))
		    : connect(fd, (void *)&ipv6, sizeof(ipv6))) {
		if (errno != EINPROGRESS || poll(&wait, 1, timeout_ms) != 1)
			goto failed;
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &status, &length);
		if (status)
			goto failed;
	}
	return fd;
failed:
	close(fd);
	return -1;
}

/* One word there and back again. */
static inline bool village_ask(int fd, int timeout_ms)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	char buffer[16];

	return send(fd, "word", 4, MSG_NOSIGNAL) == 4 && poll(&wait, 1, timeout_ms) == 1 &&
	       recv(fd, buffer, sizeof(buffer), 0) > 0;
}

static inline bool village_gets_through(
	const char *from, int type, const char *ip, uint16_t port, int timeout_ms)
{
	char name[64];
	int status;
	pid_t child;

	if (from)
		village_name(name, sizeof(name), from);
	child = fork();
	if (!child) {
		int fd;

		if (from)
			village_enter(name);
		fd = village_connect(type, ip, port, timeout_ms);
		_exit(fd < 0 || !village_ask(fd, timeout_ms));
	}
	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 90);
	return !status;
}

/* from: a workload, or NULL for the node. */
static inline bool village_reaches(const char *from, int type, const char *ip, uint16_t port)
{
	return village_gets_through(from, type, ip, port, VILLAGE_HOPE_MS);
}

static inline bool village_is_shut(const char *from, int type, const char *ip, uint16_t port)
{
	return !village_gets_through(from, type, ip, port, VILLAGE_SILENCE_MS);
}

static inline bool village_pings(const char *from, const char *ip)
{
	char command[256];

	snprintf(command, sizeof(command),
		"nsenter --net=/run/netns/nft-%d-%s busybox ping -c 1 -W 1 %s >/dev/null 2>&1",
		getpid(), from, ip);
	return !system(command);
}

/* A connected socket of a workload, in this process. */
static inline int village_open(const char *from, int type, const char *ip, uint16_t port)
{
	char name[64];
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), fd;

	village_name(name, sizeof(name), from);
	village_enter(name);
	fd = village_connect(type, ip, port, VILLAGE_HOPE_MS);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	close(here);
	return fd;
}

/* Refused by an answer, not by silence. */
static inline bool village_is_reset(const char *from, const char *ip, uint16_t port)
{
	struct timespec before, after;
	int fd;

	clock_gettime(CLOCK_MONOTONIC, &before);
	fd = village_open(from, SOCK_STREAM, ip, port);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_int_equal(fd, -1);
	return (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 <
	       VILLAGE_HOPE_MS;
}
