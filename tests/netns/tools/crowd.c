/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many connections between network namespaces, both ends of each in this one process: so what was
 * sent is compared with what arrived, packet by packet. Commands come on stdin, each is answered by
 * a line on stdout:
 *
 *   open GROUP COUNT tcp|udp FROM TO ADDRESS PORT   connections from namespace FROM to one in TO
 *   knock GROUP tcp|udp FROM TO ADDRESS PORT        attempts that should never get through
 *   run INTERVAL_MS GROUP...                        from now on each end sends in each interval,
 *                                                   and somebody knocks
 *   stop                                            no more of that
 *   send GROUP WAIT_MS [connector|acceptor]         each end, or that one, sends once; waits for
 *                                                   all to arrive
 *   count GROUP WAIT_MS                             waits for all to arrive; sums since it began
 *
 * "GROUP flows=N sent=N arrived=N broken=N lost=N silent=N": lost are segments of TCP that had to
 * be sent again, silent are flows of which since the last answer nothing arrived at either end.
 * Numbers of send are of this one sending.
 */
#include "lost.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FLOWS_MAX    1024
#define FILES_MAX    4096UL
#define GROUPS_MAX   64
#define WORD_BYTES   32
#define KNOCKS_MAX   64
#define CONNECT_MS   2000
#define REPORTS_MS   200
#define WORDS_MAX    16
#define RECEIVE_SIZE 65536
#define NS_PER_MS    1000000

struct flow {
	int fds[2]; /* who connected, who accepted */
	bool stream;
	bool broken;
	uint64_t sent[2];  /* messages, by sender */
	uint64_t bytes[2]; /* arrived, by sender */
};

struct group {
	char name[WORD_BYTES];
	size_t first;
	size_t count;
	bool running;
	/* knock */
	bool knocks;
	bool stream;
	char from[WORD_BYTES];
	struct sockaddr_storage target;
	int listener;
	int pending[KNOCKS_MAX];
	uint64_t attempts;
	uint64_t entered;
};

static struct flow flows[FLOWS_MAX];
static size_t flows_count;
static uint64_t told[FLOWS_MAX]; /* arrived at the last answer, by flow */
static struct group groups[GROUPS_MAX];
static size_t groups_count;
static long interval_ms;
static int home; /* the namespace that this process began in */

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / NS_PER_MS;
}

static socklen_t size_of(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET ? sizeof(struct sockaddr_in)
					     : sizeof(struct sockaddr_in6);
}

static struct sockaddr_storage parse_target(const char *address, const char *port)
{
	struct sockaddr_storage target = {0};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&target;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&target;

	if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)atoi(port));
	} else if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)atoi(port));
	} else {
		errx(2, "%s is no address", address);
	}
	return target;
}

static int socket_in(const char *namespace, int family, int type)
{
	char path[sizeof("/run/netns/") + WORD_BYTES];
	int space, fd, one = 1;

	snprintf(path, sizeof(path), "/run/netns/%s", namespace);
	space = open(path, O_RDONLY | O_CLOEXEC);
	if (space < 0 || setns(space, CLONE_NEWNET) < 0)
		err(1, "enter %s", namespace);
	close(space);
	fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setns(home, CLONE_NEWNET) < 0)
		err(1, "socket in %s", namespace);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static int listen_in(const char *namespace, const struct sockaddr_storage *target, bool stream)
{
	int fd = socket_in(namespace, target->ss_family, stream ? SOCK_STREAM : SOCK_DGRAM);

	if (bind(fd, (const struct sockaddr *)target, size_of(target)) < 0)
		err(1, "bind in %s", namespace);
	if (stream && listen(fd, FLOWS_MAX) < 0)
		err(1, "listen in %s", namespace);
	return fd;
}

static bool await(int fd, short events, long end_ms)
{
	struct pollfd polled = {.fd = fd, .events = events};
	long left = end_ms - now_ms();

	return poll(&polled, 1, left > 0 ? (int)left : 0) > 0;
}

/* Of a datagram service each flow has a socket of its own, connected to its client. */
static bool join(struct flow *flow, const char *to, const struct sockaddr_storage *target)
{
	struct sockaddr_storage client;
	socklen_t length = sizeof(client);

	if (connect(flow->fds[0], (const struct sockaddr *)target, size_of(target)) < 0 ||
		getsockname(flow->fds[0], (struct sockaddr *)&client, &length) < 0)
		return false;
	flow->fds[1] = listen_in(to, target, false);
	return connect(flow->fds[1], (struct sockaddr *)&client, length) == 0;
}

static bool dial(struct flow *flow, int listener, const struct sockaddr_storage *target)
{
	long end_ms = now_ms() + CONNECT_MS;

	if (connect(flow->fds[0], (const struct sockaddr *)target, size_of(target)) < 0 &&
		errno != EINPROGRESS)
		return false;
	if (!await(listener, POLLIN, end_ms))
		return false;
	flow->fds[1] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	return flow->fds[1] >= 0 && await(flow->fds[0], POLLOUT, end_ms);
}

static struct group *add_group(const char *name)
{
	struct group *group = &groups[groups_count++];

	if (groups_count > GROUPS_MAX || strlen(name) >= WORD_BYTES)
		errx(2, "%s: too many groups, or too long a name", name);
	*group = (struct group){.first = flows_count, .listener = -1};
	strcpy(group->name, name);
	for (size_t i = 0; i < KNOCKS_MAX; i++)
		group->pending[i] = -1;
	return group;
}

static struct group *find_group(const char *name)
{
	for (size_t i = 0; i < groups_count; i++)
		if (!strcmp(groups[i].name, name))
			return &groups[i];
	errx(2, "%s: no such group", name);
}

static void open_group(char **words)
{
	struct group *group = add_group(words[1]);
	size_t wanted = (size_t)atol(words[2]);
	bool stream = !strcmp(words[3], "tcp");
	struct sockaddr_storage target = parse_target(words[6], words[7]);
	int listener = stream ? listen_in(words[5], &target, true) : -1;

	if (flows_count + wanted > FLOWS_MAX)
		errx(2, "too many flows");
	for (size_t i = 0; i < wanted; i++) {
		struct flow *flow = &flows[flows_count];

		*flow = (struct flow){.stream = stream, .fds = {-1, -1}};
		flow->fds[0] =
			socket_in(words[4], target.ss_family, stream ? SOCK_STREAM : SOCK_DGRAM);
		if (stream ? !dial(flow, listener, &target) : !join(flow, words[5], &target))
			break;
		flows_count++;
		group->count++;
	}
	if (stream)
		close(listener);
	printf("%s opened=%zu\n", group->name, group->count);
}

static void knock_group(char **words)
{
	struct group *group = add_group(words[1]);

	group->knocks = true;
	group->stream = !strcmp(words[2], "tcp");
	snprintf(group->from, sizeof(group->from), "%s", words[3]);
	group->target = parse_target(words[5], words[6]);
	group->listener = listen_in(words[4], &group->target, group->stream);
	printf("%s knocking\n", group->name);
}

/* --- traffic --- */

/* A stream that cannot take more is not waited for: what was not sent is not counted. */
static void flow_send(struct flow *flow, int first, int last)
{
	for (int side = first; side <= last; side++) {
		uint64_t number = flow->sent[side] + 1;
		ssize_t size = send(flow->fds[side], &number, sizeof(number), MSG_NOSIGNAL);

		if (size == sizeof(number))
			flow->sent[side]++;
		else if (errno == EAGAIN || errno == ENOBUFS)
			continue;
		else if (flow->stream)
			flow->broken = true;
		else
			flow->sent[side]++; /* refused at once, and answered */
	}
}

static void flow_receive(struct flow *flow)
{
	static char buffer[RECEIVE_SIZE];

	for (int side = 0; side < 2; side++) {
		ssize_t size;

		while ((size = recv(flow->fds[!side], buffer, sizeof(buffer), 0)) > 0)
			flow->bytes[side] += (uint64_t)size;
		if (flow->stream && (size == 0 || errno != EAGAIN))
			flow->broken = true;
	}
}

static void group_knock(struct group *group)
{
	int fd = socket_in(
		group->from, group->target.ss_family, group->stream ? SOCK_STREAM : SOCK_DGRAM);
	int *slot = &group->pending[group->attempts++ % KNOCKS_MAX];

	if (*slot >= 0)
		close(*slot);
	*slot = fd;
	if (connect(fd, (struct sockaddr *)&group->target, size_of(&group->target)) == 0 &&
		!group->stream)
		(void)!send(fd, "knock", 5, MSG_NOSIGNAL);
}

static void group_listen(struct group *group)
{
	char buffer[16];
	int fd;

	if (!group->stream) {
		while (recv(group->listener, buffer, sizeof(buffer), 0) >= 0)
			group->entered++;
		return;
	}
	while ((fd = accept(group->listener, NULL, NULL)) >= 0) {
		group->entered++;
		close(fd);
	}
}

static void receive_all(void)
{
	for (size_t i = 0; i < flows_count; i++)
		flow_receive(&flows[i]);
	for (size_t i = 0; i < groups_count; i++)
		if (groups[i].knocks)
			group_listen(&groups[i]);
}

static void send_group(struct group *group, int first, int last)
{
	for (size_t i = 0; i < group->count; i++)
		flow_send(&flows[group->first + i], first, last);
	if (group->knocks)
		group_knock(group);
}

/* --- answers --- */

static uint64_t flow_arrived(const struct flow *flow)
{
	return (flow->bytes[0] + flow->bytes[1]) / sizeof(uint64_t);
}

static uint64_t group_sent(const struct group *group)
{
	uint64_t sent = group->attempts;

	for (size_t i = 0; i < group->count; i++)
		sent += flows[group->first + i].sent[0] + flows[group->first + i].sent[1];
	return sent;
}

static uint64_t group_arrived(const struct group *group)
{
	uint64_t arrived = group->entered;

	for (size_t i = 0; i < group->count; i++)
		arrived += flow_arrived(&flows[group->first + i]);
	return arrived;
}

static unsigned int group_lost(const struct group *group)
{
	unsigned int lost = 0;

	for (size_t i = group->first; i < group->first + group->count; i++)
		for (int side = 0; flows[i].stream && side < 2; side++)
			lost += lost_segments(flows[i].fds[side]);
	return lost;
}

static void tell(struct group *group, uint64_t sent_before, uint64_t arrived_before)
{
	size_t broken = 0, silent = 0;

	for (size_t i = group->first; i < group->first + group->count; i++) {
		broken += flows[i].broken;
		silent += flow_arrived(&flows[i]) == told[i];
		told[i] = flow_arrived(&flows[i]);
	}
	printf("%s flows=%zu sent=%llu arrived=%llu broken=%zu lost=%u silent=%zu\n", group->name,
		group->count, (unsigned long long)(group_sent(group) - sent_before),
		(unsigned long long)(group_arrived(group) - arrived_before), broken,
		group_lost(group), silent);
}

/* Polling by the clock: some hundred sockets are looked at in less than a millisecond. */
static void wait_for_all(const struct group *group, long wait_ms)
{
	const struct timespec pause = {.tv_nsec = NS_PER_MS};
	long end_ms = now_ms() + wait_ms;

	for (;;) {
		receive_all();
		if (group_arrived(group) == group_sent(group) || now_ms() >= end_ms)
			return;
		nanosleep(&pause, NULL);
	}
}

/* What was sent again for nothing is heard of when that, too, has arrived. */
static void wait_for_reports(const struct group *group, long wait_ms)
{
	const struct timespec pause = {.tv_nsec = NS_PER_MS};
	long end_ms = now_ms() + (wait_ms < REPORTS_MS ? wait_ms : REPORTS_MS);

	while (group_lost(group) && now_ms() < end_ms)
		nanosleep(&pause, NULL);
}

static void send_once(struct group *group, long wait_ms, const char *who)
{
	int first = who && !strcmp(who, "acceptor"), last = !who || first;
	uint64_t sent, arrived;

	receive_all();
	sent = group_sent(group);
	arrived = group_arrived(group);
	for (size_t i = group->first; i < group->first + group->count; i++)
		told[i] = flow_arrived(&flows[i]);
	send_group(group, first, last);
	wait_for_all(group, wait_ms);
	tell(group, sent, arrived);
}

static void run_groups(char **words, int count)
{
	interval_ms = atol(words[1]);
	for (int i = 2; i < count; i++)
		find_group(words[i])->running = true;
	puts("running");
}

static void stop_groups(void)
{
	for (size_t i = 0; i < groups_count; i++)
		groups[i].running = false;
	interval_ms = 0;
	puts("stopped");
}

static void obey(char *line)
{
	char *words[WORDS_MAX], *rest = NULL;
	int count = 0;

	for (char *word = strtok_r(line, " \n", &rest); word && count < WORDS_MAX;
		word = strtok_r(NULL, " \n", &rest))
		words[count++] = word;
	if (count == 8 && !strcmp(words[0], "open"))
		open_group(words);
	else if (count == 7 && !strcmp(words[0], "knock"))
		knock_group(words);
	else if (count >= 2 && !strcmp(words[0], "run"))
		run_groups(words, count);
	else if (count == 1 && !strcmp(words[0], "stop"))
		stop_groups();
	else if ((count == 3 || count == 4) && !strcmp(words[0], "send"))
		send_once(find_group(words[1]), atol(words[2]), count == 4 ? words[3] : NULL);
	else if (count == 3 && !strcmp(words[0], "count")) {
		wait_for_all(find_group(words[1]), atol(words[2]));
		wait_for_reports(find_group(words[1]), atol(words[2]));
		tell(find_group(words[1]), 0, 0);
	} else
		errx(2, "a command that is none, or has other words: %s", count ? words[0] : "");
	fflush(stdout);
}

static void tick(void)
{
	receive_all();
	for (size_t i = 0; i < groups_count; i++)
		if (groups[i].running)
			send_group(&groups[i], 0, 1);
}

int main(void)
{
	const struct rlimit files = {FILES_MAX, FILES_MAX};
	char line[512];
	size_t length = 0;
	long next_ms = 0;

	setrlimit(RLIMIT_NOFILE, &files);
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0)
		err(1, "open this namespace");
	for (;;) {
		struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
		long left_ms = interval_ms ? next_ms - now_ms() : -1;

		if (poll(&input, 1, interval_ms && left_ms < 0 ? 0 : (int)left_ms) > 0) {
			if (read(STDIN_FILENO, &line[length], 1) != 1)
				return 0;
			length += length < sizeof(line) - 1;
			if (line[length - 1] != '\n')
				continue;
			line[length] = '\0';
			length = 0;
			obey(line);
		}
		if (interval_ms && now_ms() >= next_ms) {
			next_ms = now_ms() + interval_ms;
			tick();
		}
	}
}
