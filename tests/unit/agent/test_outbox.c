/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What waits, and how it is said to syslog. */
#include "outbox.h"
#include "syslog_socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static void test_order(void **state)
{
	struct outbox outbox = {0};
	char *message;

	(void)state;
	assert_null(outbox_take(&outbox));
	outbox_add(&outbox, strdup("a"));
	outbox_add(&outbox, strdup("b"));
	outbox_add(&outbox, NULL);
	assert_int_equal(outbox.dropped, 1);
	message = outbox_take(&outbox);
	assert_string_equal(message, "a");
	free(message);
	outbox_clear(&outbox);
	assert_int_equal(outbox.count, 0);
}

static void test_bound(void **state)
{
	struct outbox outbox = {0};
	char text[16], *message;

	(void)state;
	for (int i = 0; i < OUTBOX_MAX + 10; i++) {
		snprintf(text, sizeof(text), "%d", i);
		outbox_add(&outbox, strdup(text));
	}
	assert_int_equal(outbox.count, OUTBOX_MAX);
	assert_int_equal(outbox.dropped, 10);
	message = outbox_take(&outbox);
	assert_string_equal(message, "10");
	free(message);
	outbox_clear(&outbox);
}

static void test_format(void **state)
{
	const struct syslog_parameter parameters[] = {
		{"id", "1"}, {"actor", "a\"b]c\\d\n"}, {NULL, NULL}};
	char wanted[256], *message;

	(void)state;
	snprintf(wanted, sizeof(wanted),
		"<83>1 2027-01-15T08:00:00.000001Z n segd %d ALERT [segd@32473 id=\"1\" "
		"actor=\"a\\\"b\\]c\\\\d \"] \xEF\xBB\xBFwords",
		(int)getpid());
	message = syslog_format(83, 1800000000000001000ULL, "n", "ALERT", parameters, "words");
	assert_string_equal(message, wanted);
	free(message);
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	strcpy(address.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static long long field(const struct syslog_socket *syslog, const char *key)
{
	json_t *json = syslog_socket_describe(syslog);
	long long number = json_integer_value(json_object_get(json, key));

	json_decref(json);
	return number;
}

static void test_a_daemon_that_comes_later(void **state)
{
	char directory[] = "/tmp/segd-syslog.XXXXXX", path[64], buffer[16];
	struct syslog_socket *syslog = NULL;
	sd_event *event = NULL;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/log", directory);
	assert_true(sd_event_new(&event) >= 0);
	assert_int_equal(syslog_socket_new(path, event, &syslog, NULL), 0);
	syslog_socket_send(syslog, strdup("one"));
	syslog_socket_send(syslog, strdup("two"));
	assert_int_equal(field(syslog, "waiting"), 2);
	assert_int_equal(field(syslog, "failures"), 1);
	fd = listen_at(path);
	while (field(syslog, "waiting"))
		assert_true(sd_event_run(event, 5000000) > 0);
	assert_int_equal(recv(fd, buffer, sizeof(buffer), 0), 3);
	assert_memory_equal(buffer, "one", 3);
	assert_int_equal(recv(fd, buffer, sizeof(buffer), 0), 3);
	assert_memory_equal(buffer, "two", 3);
	assert_int_equal(field(syslog, "sent"), 2);
	syslog_socket_free(syslog);
	sd_event_unref(event);
	close(fd);
	unlink(path);
	rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_a_daemon_that_comes_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
