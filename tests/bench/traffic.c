/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traffic between two network namespaces, both ends in this process: how many of something happen
 * in a second, as the end sees it that they arrive at.
 *
 *   traffic CLIENT-NETNS SERVER-NETNS ADDRESS PORT MS KIND[=RATE]...
 *
 *   bytes         of one TCP connection
 *   round-trips   of one byte over one TCP connection
 *   datagrams     of 18 bytes, which make the smallest Ethernet frame
 *   connections   over TCP, one after the other: opened, closed by the server, closed
 *
 * With =RATE several clients at once open that many connections a second. Prints one JSON object: a
 * rate for each kind. What happens in the first fifth of the time is not counted.
 */
#include "base/cleanup.h"
#include "base/clock.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK_BYTES    (256 << 10)
#define DATAGRAM_BYTES 18
#define BATCH          32
#define BUFFER_BYTES   (4 << 20)
#define CLIENTS        4  /* with a rate: one alone waits for each of its connections */
#define PATIENCE_S     10 /* with a socket where nothing happens: then the way is closed */

struct run {
	const struct kind *kind;
	const char *client_netns;
	const char *server_netns;
	struct sockaddr_in address;
	unsigned int rate; /* of each client; 0: as many as possible */
	int listener;      /* bound before the client begins */
	atomic_ulong done;
	atomic_bool stop;
};

struct kind {
	const char *name;
	int type;
	/* Each closes its fd, but for receive_datagrams, which has the listener. */
	void (*client)(struct run *run, int fd);
	void (*server)(struct run *run, int fd);
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

/* The ends are on processors of their own, if there are two: the scheduler's mind is no figure. */
static void stay_on(unsigned int number)
{
	cpu_set_t all, one;

	if (sched_getaffinity(0, sizeof(all), &all) < 0 || CPU_COUNT(&all) < 2)
		return;
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &all) && number-- == 0) {
			CPU_SET(cpu, &one);
			sched_setaffinity(0, sizeof(one), &one);
			return;
		}
}

static int open_socket(int type)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), one = 1, buffer = BUFFER_BYTES;

	if (fd < 0)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	else
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer));
	return fd;
}

static int open_client(const struct run *run)
{
	int fd = open_socket(run->kind->type);

	if (connect(fd, (const struct sockaddr *)&run->address, sizeof(run->address)) < 0)
		err(1, "%s: connect", run->kind->name);
	return fd;
}

static int take_connection(const struct run *run)
{
	int fd = accept4(run->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0 && !run->stop)
		err(1, "%s: accept", run->kind->name);
	return fd;
}

static void send_bytes(struct run *run, int fd)
{
	static char chunk[CHUNK_BYTES];

	while (!run->stop && send(fd, chunk, sizeof(chunk), MSG_NOSIGNAL) > 0)
		;
	close(fd);
}

static void receive_bytes(struct run *run, int fd)
{
	static char chunk[CHUNK_BYTES];
	ssize_t size;

	while ((size = recv(fd, chunk, sizeof(chunk), 0)) > 0)
		run->done += (unsigned long)size;
	close(fd);
}

static void ask(struct run *run, int fd)
{
	char byte = 0;

	while (!run->stop && send(fd, &byte, 1, MSG_NOSIGNAL) == 1 && recv(fd, &byte, 1, 0) == 1)
		run->done++;
	close(fd);
}

static void answer(struct run *run, int fd)
{
	char byte;

	(void)run;
	while (recv(fd, &byte, 1, 0) == 1 && send(fd, &byte, 1, MSG_NOSIGNAL) == 1)
		;
	close(fd);
}

static void prepare_batch(
	struct mmsghdr messages[static BATCH], struct iovec *part, struct sockaddr_in *address)
{
	for (size_t i = 0; i < BATCH; i++)
		messages[i] = (struct mmsghdr){
			.msg_hdr = {.msg_iov = part,
				.msg_iovlen = 1,
				.msg_name = address,
				.msg_namelen = address ? sizeof(*address) : 0},
		};
}

static void send_datagrams(struct run *run, int fd)
{
	char datagram[DATAGRAM_BYTES] = {0};
	struct iovec part = {.iov_base = datagram, .iov_len = sizeof(datagram)};
	struct mmsghdr messages[BATCH];

	prepare_batch(messages, &part, NULL);
	while (!run->stop)
		if (sendmmsg(fd, messages, BATCH, 0) < 0 && errno != ECONNREFUSED)
			err(1, "send datagrams");
	close(fd);
}

static void receive_datagrams(struct run *run, int fd)
{
	char datagram[DATAGRAM_BYTES];
	struct iovec part = {.iov_base = datagram, .iov_len = sizeof(datagram)};
	struct mmsghdr messages[BATCH];
	int count;

	prepare_batch(messages, &part, NULL);
	while (!run->stop) {
		count = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
		if (count > 0)
			run->done += (unsigned long)count;
	}
}

static void wait_until(uint64_t time_ns)
{
	const struct timespec time = {
		.tv_sec = (time_t)(time_ns / 1000000000), .tv_nsec = (long)(time_ns % 1000000000)};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

/* The first one is open already. The server closes first, so that the client's ports are free; who
 * runs this lets it have no TIME_WAIT, which would now and then cost a client that uses its port
 * again a second. */
static void open_connections(struct run *run, int fd)
{
	uint64_t next_ns = clock_ns(CLOCK_MONOTONIC);
	char byte;

	for (;;) {
		if (recv(fd, &byte, 1, 0) < 0)
			err(1, "wait for the end of a connection");
		run->done++;
		close(fd);
		if (run->stop)
			return;
		if (run->rate) {
			next_ns += 1000000000 / run->rate;
			wait_until(next_ns);
		}
		fd = open_client(run);
	}
}

static void close_connections(struct run *run, int fd)
{
	char byte;

	for (;;) {
		shutdown(fd, SHUT_WR);
		if (recv(fd, &byte, 1, 0) < 0)
			err(1, "wait for the client to close");
		close(fd);
		fd = take_connection(run); /* until the listener ends, after the client */
		if (fd < 0)
			return;
	}
}

static const struct kind kinds[] = {
	{"bytes", SOCK_STREAM, send_bytes, receive_bytes},
	{"round-trips", SOCK_STREAM, ask, answer},
	{"datagrams", SOCK_DGRAM, send_datagrams, receive_datagrams},
	{"connections", SOCK_STREAM, open_connections, close_connections},
};

static void *be_client(void *userdata)
{
	struct run *run = userdata;
	int fd;

	stay_on(0);
	enter(run->client_netns);
	fd = open_client(run);
	run->kind->client(run, fd);
	return NULL;
}

static void *be_server(void *userdata)
{
	struct run *run = userdata;
	bool stream = run->kind->type == SOCK_STREAM;
	int fd = stream ? take_connection(run) : run->listener;

	if (fd < 0)
		return NULL;
	stay_on(1);
	run->kind->server(run, fd);
	return NULL;
}

static void listen_at(struct run *run)
{
	run->listener = open_socket(run->kind->type);
	if (bind(run->listener, (struct sockaddr *)&run->address, sizeof(run->address)) < 0 ||
		(run->kind->type == SOCK_STREAM && listen(run->listener, SOMAXCONN) < 0))
		err(1, "listen");
}

/* In a second. */
static double measure(struct run *run, unsigned int ms)
{
	const size_t clients = run->rate ? CLIENTS : 1;
	pthread_t client[CLIENTS], server[CLIENTS];
	uint64_t start_ns, end_ns;
	unsigned long done;

	enter(run->server_netns);
	listen_at(run);
	for (size_t i = 0; i < clients; i++)
		if (pthread_create(&server[i], NULL, be_server, run) ||
			pthread_create(&client[i], NULL, be_client, run))
			errx(1, "no threads");
	wait_until(clock_ns(CLOCK_MONOTONIC) + ms * 200000ULL);
	done = run->done;
	start_ns = clock_ns(CLOCK_MONOTONIC);
	wait_until(start_ns + ms * 800000ULL);
	done = run->done - done;
	end_ns = clock_ns(CLOCK_MONOTONIC);
	run->stop = true;
	for (size_t i = 0; i < clients; i++)
		pthread_join(client[i], NULL);
	shutdown(run->listener, SHUT_RDWR);
	for (size_t i = 0; i < clients; i++)
		pthread_join(server[i], NULL);
	close(run->listener);
	return (double)done * 1e9 / (double)(end_ns - start_ns);
}

static const struct kind *find_kind(const char *name, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strlen(kinds[i].name) == length && !strncmp(kinds[i].name, name, length))
			return &kinds[i];
	errx(2, "%s: no kind of traffic", name);
}

int main(int argc, char **argv)
{
	if (argc < 7)
		errx(2, "usage: traffic CLIENT-NETNS SERVER-NETNS ADDRESS PORT MS KIND[=RATE]...");
	for (int i = 6; i < argc; i++) {
		size_t length = strcspn(argv[i], "=");
		struct run run = {
			.kind = find_kind(argv[i], length),
			.client_netns = argv[1],
			.server_netns = argv[2],
			.address = {.sin_family = AF_INET,
				.sin_port = htons((uint16_t)strtoul(argv[4], NULL, 10))},
		};

		if (argv[i][length])
			run.rate = (unsigned int)strtoul(argv[i] + length + 1, NULL, 10) / CLIENTS;
		if (inet_pton(AF_INET, argv[3], &run.address.sin_addr) != 1)
			errx(2, "%s: no IPv4 address", argv[3]);
		printf("%s\"%s\": %.3f", i == 6 ? "{" : ", ", run.kind->name,
			measure(&run, (unsigned int)strtoul(argv[5], NULL, 10)));
	}
	puts("}");
	return 0;
}
