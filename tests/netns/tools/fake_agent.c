/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands in for segd in tests of segctl: answers HTTP/1.1 on a Unix socket with canned files.
 *
 *   fake_agent SOCKET DIRECTORY [mute]
 *
 * The answer to "GET /v1/flows?limit=5" is the file DIRECTORY/GET/v1/flows, its status the number
 * in DIRECTORY/GET/v1/flows.status (200 without it); follow=1 reads DIRECTORY/GET/v1/flows.stream
 * and then waits for the client to go. DIRECTORY/GET/v1/flows.then, if it is there, takes the
 * file's place once that was sent: the second answer is another one. Every request is appended to
 * DIRECTORY/requests: one line with method and target, then the body. mute: closes every connection
 * without a byte, as segd does to who has no right. SOCKET is there when it listens. Ends by
 * SIGTERM.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define REQUEST_MAX    (1 << 20)
#define PATH_MAX_BYTES 1024

static void die(const char *what)
{
	fprintf(stderr, "fake_agent: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The whole request: headers, then as much body as they announce. */
static bool read_request(int peer, char *request)
{
	size_t size = 0, expected = 0;

	while (!expected || size < expected) {
		ssize_t got = read(peer, request + size, REQUEST_MAX - 1 - size);
		char *body, *length;

		if (got <= 0)
			return false;
		size += (size_t)got;
		request[size] = '\0';
		body = strstr(request, "\r\n\r\n");
		if (!body)
			continue;
		length = strcasestr(request, "Content-Length:");
		expected = (size_t)(body + 4 - request);
		if (length && length < body)
			expected += strtoul(length + strlen("Content-Length:"), NULL, 10);
	}
	return true;
}

static void record(const char *directory, const char *method, const char *target, const char *body)
{
	char path[PATH_MAX_BYTES];
	FILE *log;

	snprintf(path, sizeof(path), "%s/requests", directory);
	log = fopen(path, "a");
	if (!log)
		die(path);
	fprintf(log, "%s %s\n%s", method, target, body);
	fclose(log);
}

static long read_status(const char *file)
{
	char path[PATH_MAX_BYTES + 16];
	long status = 200;
	FILE *stream;

	snprintf(path, sizeof(path), "%s.status", file);
	stream = fopen(path, "r");
	if (stream && fscanf(stream, "%ld", &status) != 1)
		status = 500;
	if (stream)
		fclose(stream);
	return status;
}

static void replace_by_next(const char *file)
{
	char path[PATH_MAX_BYTES + 16];

	snprintf(path, sizeof(path), "%s.then", file);
	rename(path, file);
}

static void answer(int peer, const char *file, bool stream)
{
	static const char missing[] = "{\"error\": {\"message\": \"there is no such thing here\"}}";
	FILE *content = fopen(file, "r");
	char buffer[65536];
	size_t got;

	dprintf(peer,
		"HTTP/1.1 %ld Canned\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n",
		content ? read_status(file) : 404);
	if (!content) {
		dprintf(peer, "%s", missing);
		return;
	}
	while ((got = fread(buffer, 1, sizeof(buffer), content)) > 0)
		if (write(peer, buffer, got) < 0)
			break;
	fclose(content);
	replace_by_next(file);
	/* A stream ends when its reader goes. */
	while (stream && read(peer, buffer, sizeof(buffer)) > 0)
		continue;
}

static void serve(int peer, const char *directory)
{
	static char request[REQUEST_MAX];
	char file[PATH_MAX_BYTES], *rest = NULL, *method, *target, *body, *query;
	bool stream;

	if (!read_request(peer, request))
		return;
	body = strstr(request, "\r\n\r\n") + 4;
	method = strtok_r(request, " ", &rest);
	target = strtok_r(NULL, " ", &rest);
	if (!method || !target)
		return;
	record(directory, method, target, body);
	stream = strstr(target, "follow=1") != NULL;
	query = strchr(target, '?');
	if (query)
		*query = '\0';
	snprintf(file, sizeof(file), "%s/%s%s%s", directory, method, target,
		stream ? ".stream" : "");
	answer(peer, file, stream);
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	bool mute = argc > 3 && strcmp(argv[3], "mute") == 0;
	int listener;

	if (argc < 3 || (size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s.new",
				argv[1]) >= sizeof(address.sun_path)) {
		fputs("usage: fake_agent SOCKET DIRECTORY [mute]\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(listener, 16) < 0 || rename(address.sun_path, argv[1]) < 0)
		die(argv[1]);
	for (;;) {
		int peer = accept(listener, NULL, NULL);

		if (peer < 0)
			die("accept");
		if (!mute)
			serve(peer, argv[2]);
		close(peer);
	}
}
