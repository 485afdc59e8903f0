/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A webhook whose other side answers as the test says. */
#include "webhook.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
	sd_event *event;
	sd_event_source *source;
	struct webhook *webhook;
	int fd;
	const char *const *statuses; /* one for each request; the last for all behind it */
	char bodies[512];
	size_t requests;
};

static int on_request(sd_event_source *source, int peer, uint32_t events, void *userdata)
{
	struct world *world = userdata;
	char request[4096], answer[256];
	const char *body;
	ssize_t length = recv(peer, request, sizeof(request) - 1, 0);

	(void)events;
	sd_event_source_disable_unref(source);
	assert_true(length > 0);
	request[length] = '\0';
	body = strstr(request, "\r\n\r\n");
	assert_non_null(body);
	assert_non_null(strstr(request, "Content-Type: application/json"));
	strncat(world->bodies, body + 4, sizeof(world->bodies) - strlen(world->bodies) - 1);
	snprintf(answer, sizeof(answer),
		"HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", *world->statuses);
	assert_true(send(peer, answer, strlen(answer), MSG_NOSIGNAL) > 0);
	close(peer);
	world->requests++;
	if (world->statuses[1])
		world->statuses++;
	return 0;
}

static int on_connection(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct world *world = userdata;
	sd_event_source *peer;

	(void)source;
	(void)events;
	return sd_event_add_io(
		world->event, &peer, accept(fd, NULL, NULL), EPOLLIN, on_request, world);
}

static void begin(struct world *world, const char *const *statuses)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);
	char url[64];

	memset(world, 0, sizeof(*world));
	world->statuses = statuses;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	world->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(world->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(world->fd, 8), 0);
	assert_int_equal(getsockname(world->fd, (struct sockaddr *)&address, &size), 0);
	assert_true(sd_event_new(&world->event) >= 0);
	assert_true(sd_event_add_io(world->event, &world->source, world->fd, EPOLLIN, on_connection,
			    world) >= 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/x", ntohs(address.sin_port));
	assert_int_equal(webhook_new(url, world->event, &world->webhook, NULL), 0);
}

static void end(struct world *world)
{
	webhook_free(world->webhook);
	sd_event_source_unref(world->source);
	sd_event_unref(world->event);
	close(world->fd);
}

static long long field(const struct world *world, const char *key)
{
	json_t *json = webhook_describe(world->webhook);
	long long number = json_integer_value(json_object_get(json, key));

	json_decref(json);
	return number;
}

static void until_empty(struct world *world)
{
	while (field(world, "waiting"))
		assert_true(sd_event_run(world->event, 10000000) > 0);
}

static void test_delivered(void **state)
{
	static const char *const statuses[] = {"200 OK", NULL};
	struct world world;

	(void)state;
	begin(&world, statuses);
	webhook_post(world.webhook, strdup("{\"a\":1}"));
	webhook_post(world.webhook, strdup("{\"b\":2}"));
	until_empty(&world);
	assert_string_equal(world.bodies, "{\"a\":1}{\"b\":2}");
	assert_int_equal(field(&world, "sent"), 2);
	assert_int_equal(field(&world, "failures"), 0);
	end(&world);
}

static void test_tried_again(void **state)
{
	static const char *const statuses[] = {"503 Busy", "200 OK", NULL};
	struct world world;

	(void)state;
	begin(&world, statuses);
	webhook_post(world.webhook, strdup("{}"));
	until_empty(&world);
	assert_int_equal(world.requests, 2);
	assert_int_equal(field(&world, "failures"), 1);
	assert_int_equal(field(&world, "sent"), 1);
	end(&world);
}

static void test_refused(void **state)
{
	static const char *const statuses[] = {"400 Bad", "200 OK", NULL};
	struct world world;

	(void)state;
	begin(&world, statuses);
	webhook_post(world.webhook, strdup("[1]"));
	webhook_post(world.webhook, strdup("[2]"));
	until_empty(&world);
	assert_int_equal(field(&world, "refused"), 1);
	assert_int_equal(field(&world, "sent"), 1);
	assert_string_equal(world.bodies, "[1][2]");
	end(&world);
}

static void test_nobody_there(void **state)
{
	static const char *const statuses[] = {"200 OK", NULL};
	struct world world;

	(void)state;
	begin(&world, statuses);
	shutdown(world.fd, SHUT_RDWR);
	sd_event_source_set_enabled(world.source, SD_EVENT_OFF);
	for (int i = 0; i < 300; i++)
		webhook_post(world.webhook, strdup("{}"));
	while (!field(&world, "failures"))
		assert_true(sd_event_run(world.event, 10000000) > 0);
	/* One is under way, the others in the outbox. */
	assert_int_equal(field(&world, "waiting"), 257);
	assert_int_equal(field(&world, "dropped"), 300 - 257);
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_delivered),
		cmocka_unit_test(test_tried_again),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nobody_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
