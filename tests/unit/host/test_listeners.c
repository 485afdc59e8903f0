/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/host/listeners.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

/* cmocka's own order of includes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int bind_to(int family, uint16_t port)
{
	const struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	const struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(family == AF_INET ? bind(fd, (const void *)&ipv4, sizeof(ipv4))
					   : bind(fd, (const void *)&ipv6, sizeof(ipv6)),
		0);
	return fd;
}

static void test_finds_who_listens(void **state)
{
	static struct listeners listeners;
	int ipv4 = bind_to(AF_INET, 50051), ipv6 = bind_to(AF_INET6, 65535);
	int silent = bind_to(AF_INET, 50052);

	(void)state;
	assert_int_equal(listen(ipv4, 1), 0);
	assert_int_equal(listen(ipv6, 1), 0);
	assert_int_equal(listeners_have(&listeners, 50051), 1);
	assert_int_equal(listeners_have(&listeners, 65535), 1);
	assert_int_equal(listeners_have(&listeners, 50052), 0);
	assert_int_equal(listeners_have(&listeners, 50050), 0);
	/* What was read is of now until a second has passed. */
	close(ipv4);
	assert_int_equal(listen(silent, 1), 0);
	assert_int_equal(listeners_have(&listeners, 50051), 1);
	listeners.read_ns = 1;
	assert_int_equal(listeners_have(&listeners, 50051), 0);
	assert_int_equal(listeners_have(&listeners, 50052), 1);
	close(ipv6);
	close(silent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_finds_who_listens)};

	if (unshare(CLONE_NEWNET) < 0) {
		print_message("skipped: needs root for a network namespace\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
