/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * New containers, one after the other: a network namespace behind a veth on the bridge of a node,
 * which sends even before it is on the bridge, to who may hear it and to who may not. It knows
 * their MACs, so that no lost ARP request costs it a second.
 *
 *   container_start NODE-NETNS COUNT
 *
 * NODE-NETNS-api is 10.77.0.12 and may be reached, NODE-NETNS-db is 10.77.0.13 and may not; the
 * container is 10.77.0.20 and further, its namespace NODE-NETNS-cNUMBER. Prints a JSON object for
 * each: milliseconds from the first datagram that it could send until the first answer, and
 * datagrams that arrived where they must not.
 */
#include "base/cleanup.h"
#include "base/clock.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT       8080
#define PAUSE_US   100
#define LINGER_US  20000 /* for datagrams under way to who must not hear them */
#define PATIENCE_S 10

struct container {
	const char *node;
	unsigned int number;
	atomic_bool ready;
	uint64_t first_ns;  /* a datagram could be sent */
	uint64_t answer_ns; /* 0: none came */
};

static void enter(const char *netns)
{
	_cleanup_free_ char *path = NULL;
	int fd;

	if (asprintf(&path, "/run/netns/%s", netns) < 0)
		err(1, "memory");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		err(1, "%s", path);
	close(fd);
}

static int open_socket(uint16_t port)
{
	const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		err(1, "socket");
	return fd;
}

static struct sockaddr_in place(const char *text)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};

	inet_pton(AF_INET, text, &address.sin_addr);
	return address;
}

/* From before its interface is up until the first answer. */
static void *be_container(void *userdata)
{
	const struct sockaddr_in allowed = place("10.77.0.12"), forbidden = place("10.77.0.13");
	struct container *container = userdata;
	_cleanup_free_ char *netns = NULL;
	uint64_t end_ns = clock_ns(CLOCK_MONOTONIC) + PATIENCE_S * NS_PER_SECOND;
	char byte = 0;
	int fd;

	if (asprintf(&netns, "%s-c%u", container->node, container->number) < 0)
		err(1, "memory");
	enter(netns);
	fd = open_socket(0);
	container->ready = true;
	while (!container->answer_ns && clock_ns(CLOCK_MONOTONIC) < end_ns) {
		sendto(fd, &byte, 1, 0, (const struct sockaddr *)&forbidden, sizeof(forbidden));
		if (sendto(fd, &byte, 1, 0, (const struct sockaddr *)&allowed, sizeof(allowed)) ==
				1 &&
			!container->first_ns)
			container->first_ns = clock_ns(CLOCK_MONOTONIC);
		usleep(PAUSE_US);
		if (recv(fd, &byte, 1, 0) == 1)
			container->answer_ns = clock_ns(CLOCK_MONOTONIC);
	}
	close(fd);
	return NULL;
}

/* Echoes for ever. */
static void *be_allowed(void *userdata)
{
	int fd;

	enter(userdata);
	fd = open_socket(PORT);
	fcntl(fd, F_SETFL, 0);
	for (;;) {
		struct sockaddr_in peer;
		socklen_t length = sizeof(peer);
		char byte;

		if (recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&peer, &length) == 1)
			sendto(fd, &byte, 1, 0, (struct sockaddr *)&peer, length);
	}
	return NULL;
}

static unsigned int take_all(int fd)
{
	unsigned int count = 0;
	char byte;

	while (recv(fd, &byte, 1, 0) == 1)
		count++;
	return count;
}

/* All that the container does not do itself. */
static void shell(const struct container *container, const char *script)
{
	_cleanup_free_ char *command = NULL;

	if (asprintf(&command, "N=%s; I=%u; A=10.77.0.%u; C=$N-c$I; set -e; %s", container->node,
		    container->number, 20 + container->number % 200, script) < 0)
		err(1, "memory");
	if (system(command) != 0)
		errx(1, "failed: %s", command);
}

static void start(struct container *container, int forbidden)
{
	unsigned int arrived;
	pthread_t thread;

	shell(container,
		"ip netns add $C; ip -n $N link add vc$I type veth peer name eth0 netns $C; "
		"ip -n $N link set vc$I up; ip -n $C addr add $A/24 dev eth0; "
		"ip -n $C link set eth0 up; for i in 12 13; do "
		"ip -n $C neigh add 10.77.0.$i dev eth0 nud permanent "
		"lladdr $(ip netns exec $(echo $N-api $N-db | cut -d ' ' -f $((i - 11))) "
		"cat /sys/class/net/eth0/address); done");
	if (pthread_create(&thread, NULL, be_container, container))
		errx(1, "no thread");
	while (!container->ready)
		usleep(PAUSE_US);
	shell(container, "ip -n $N link set vc$I master br0");
	pthread_join(thread, NULL);
	usleep(LINGER_US);
	arrived = take_all(forbidden);
	shell(container, "ip netns del $C");
	if (!container->answer_ns)
		errx(1, "container %u got no answer", container->number);
	printf("{\"ms\": %.3f, \"arrived\": %u}\n",
		(double)(container->answer_ns - container->first_ns) / 1e6, arrived);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	_cleanup_free_ char *api = NULL, *db = NULL;
	pthread_t allowed;
	int forbidden;

	if (argc != 3)
		errx(2, "usage: container_start NODE-NETNS COUNT");
	if (asprintf(&api, "%s-api", argv[1]) < 0 || asprintf(&db, "%s-db", argv[1]) < 0)
		err(1, "memory");
	if (pthread_create(&allowed, NULL, be_allowed, api))
		errx(1, "no thread");
	enter(db);
	forbidden = open_socket(PORT);
	for (unsigned int i = 0; i < strtoul(argv[2], NULL, 10); i++) {
		struct container container = {.node = argv[1], .number = i};

		start(&container, forbidden);
	}
	return 0;
}
