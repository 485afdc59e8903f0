/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many messages at once, each of them read, and none that is lost in silence. */
#include "dataplane/nft/inbox.h"

#include "base/cleanup.h"
#include "fixture.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TYPE NLMSG_MIN_TYPE

struct office {
	struct mnl_socket *socket; /* around one end of a pair */
	int sender;
	struct inbox *inbox;
	uint32_t heard[4 * INBOX_SIZE];
	size_t count;
};

static int set_up(void **state)
{
	struct office *office = calloc(1, sizeof(*office));
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
	office->sender = pair[0];
	office->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	assert_non_null(office->socket);
	assert_true(dup2(pair[1], mnl_socket_get_fd(office->socket)) >= 0);
	close(pair[1]);
	office->inbox = inbox_new();
	assert_non_null(office->inbox);
	*state = office;
	return 0;
}

static int tear_down(void **state)
{
	struct office *office = *state;

	inbox_free(office->inbox);
	mnl_socket_close(office->socket);
	close(office->sender);
	free(office);
	return 0;
}

static void post(const struct office *office, uint32_t number, uint16_t type, size_t bytes)
{
	_Alignas(struct nlmsghdr) char message[8192] = {0};
	struct nlmsghdr *header = mnl_nlmsg_put_header(message);

	header->nlmsg_type = type;
	header->nlmsg_seq = number;
	if (bytes)
		mnl_nlmsg_put_extra_header(header, bytes);
	assert_int_equal(send(office->sender, message, header->nlmsg_len, 0), header->nlmsg_len);
}

static int hear(const struct nlmsghdr *message, void *userdata)
{
	struct office *office = userdata;

	assert_true(office->count < ARRAY_SIZE(office->heard));
	office->heard[office->count++] = message->nlmsg_seq;
	return MNL_CB_OK;
}

static int receive(struct office *office)
{
	return inbox_receive(office->inbox, office->socket, hear, office);
}

static void test_reads_all_in_order(void **state)
{
	struct office *office = *state;
	uint32_t sent = INBOX_SIZE + INBOX_SIZE / 4;

	for (unsigned int round = 0; round < 2; round++) {
		office->count = 0;
		for (uint32_t i = 0; i < sent; i++)
			post(office, i, TYPE, 0);
		assert_int_equal(receive(office), 0);
		assert_int_equal(office->count, INBOX_SIZE);
		assert_int_equal(receive(office), 1);
		assert_int_equal(office->count, sent);
		assert_int_equal(receive(office), -EAGAIN);
		for (uint32_t i = 0; i < sent; i++)
			assert_int_equal(office->heard[i], i);
	}
}

static void test_tells_of_what_has_no_room(void **state)
{
	struct office *office = *state;

	post(office, 1, TYPE, 0);
	post(office, 2, TYPE, 5000);
	post(office, 3, TYPE, 0);
	assert_int_equal(receive(office), -ENOBUFS);
	assert_int_equal(office->count, 2);
	assert_int_equal(office->heard[1], 3);
	/* And the next ones are whole again. */
	post(office, 4, TYPE, 0);
	assert_int_equal(receive(office), 1);
	assert_int_equal(office->heard[2], 4);
}

static void test_reads_on_behind_what_fails(void **state)
{
	struct office *office = *state;

	post(office, 1, NLMSG_ERROR, 0);
	post(office, 2, TYPE, 0);
	assert_true(receive(office) < 0);
	assert_int_equal(office->count, 1);
	assert_int_equal(office->heard[0], 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reads_all_in_order),
		TEST(test_tells_of_what_has_no_room),
		TEST(test_reads_on_behind_what_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
